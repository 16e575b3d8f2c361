import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { documentVersions } from '../support/run-documents.ts';
import { call } from '../support/search-calls.ts';
import { FILTERED, keyOf, places, type PlacesWorker, REFUSED, ROWS } from '../support/worker-places.ts';

const NODES = [
  ['the development node', inject('developmentUrl')],
  ['OpenSearch', inject('searchUrl')],
] as const;

/** The row that workers stand before, the row where the first task's range is cut, and one further on. */
const GATE = 8_000;
const CUT = 12_001;
const FIRST_CUT = 15_000;

/** Rows of the table's first `rows` that are filtered, and that are refused. */
const filteredOf = (rows: number): number => Math.floor(rows / 100);
const refusedOf = (rows: number): number => Math.ceil(rows / 1_000);

describe.each(NODES)('a range that is cut while it is read, on %s', (_name, url) => {
  const searchUrl = url ?? '';
  const { startWorker, createTarget, createGate } = places(searchUrl);

  function patch(worker: PlacesWorker, row: number) {
    return worker.ask('PATCH', '/task/task-1', { end_index: String(keyOf(row)) });
  }

  /** How often each document was written. */
  async function timesWritten(index: string): Promise<unknown[]> {
    await call(searchUrl, 'POST', `/${index}/_refresh`);
    return Object.values(await documentVersions(index, searchUrl));
  }

  it.skipIf(url === null)(
    'is indexed by two tasks together, every row once',
    async () => {
      const gate = await createGate(GATE);
      onTestFinished(() => gate.close());
      await gate.shut();
      const target = await createTarget();
      const [one, two] = [await startWorker({ gate }), await startWorker({ gate, id: 'worker-2' })];
      await one.post(one.task(target));
      await expect
        .poll(async () => (await one.status('task-1')).rows_read, { timeout: 50_000 })
        .toBeGreaterThan(0);
      const { settled_through: settledThrough } = await one.status('task-1');

      const tooLate = await one.ask('PATCH', '/task/task-1', { end_index: settledThrough });
      expect(tooLate).toMatchObject({ status: 409, body: { field: 'end_index' } });
      expect(await patch(one, FIRST_CUT)).toMatchObject({ status: 200, body: { active: true } });
      expect(await patch(one, CUT)).toMatchObject({
        status: 200,
        body: { active: true, end_index: String(keyOf(CUT)) },
      });
      expect(await patch(one, FIRST_CUT)).toMatchObject({ status: 409 });
      await two.post(two.task(target, { task_id: 'task-2', start_index: String(keyOf(CUT)) }));
      await gate.open();

      const [left, right] = [await one.finished('task-1'), await two.finished('task-2')];
      const below = CUT - 1;
      expect(left).toMatchObject({
        error: null,
        progress: 100,
        end_index: String(keyOf(CUT)),
        settled_through: String(keyOf(below)),
        rows_read: below,
        filtered: filteredOf(below),
        targets: [{ indexed: below - filteredOf(below) - refusedOf(below), dead_letters: refusedOf(below) }],
      });
      expect(right).toMatchObject({
        error: null,
        end_index: null,
        rows_read: ROWS - below,
        filtered: FILTERED - filteredOf(below),
        targets: [{ dead_letters: REFUSED - refusedOf(below) }],
      });
      const once = (rows: number): number[] => Array.from({ length: rows }, () => 1);
      expect(await timesWritten(target.index)).toEqual(once(ROWS - FILTERED - REFUSED));
      expect(await timesWritten(`${target.index}-dead-letters`)).toEqual(once(REFUSED));
    },
    120_000,
  );
});
