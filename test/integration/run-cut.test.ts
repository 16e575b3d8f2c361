import { describe, expect, it } from 'vitest';
import { openFileStore } from '../../orchestrator/journal/file-store.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { resultOf } from '../support/run-command.ts';
import { documentsInTable, documentsOf, documentVersions } from '../support/run-documents.ts';
import { eventually } from '../support/run-eventually.ts';
import { createGate } from '../support/run-gate.ts';
import { type RunSetup, setUpRun } from '../support/run-setup.ts';
import { placesDatabase, ROWS } from '../support/run-table.ts';

/** The rest of a running range is cut and given to workers that have nothing to do. */

const database = placesDatabase();
/** In the second of two ranges, whose worker reads a tenth of it and comes no further while the gate is shut. */
const GATE_AFTER = 1.1 * (ROWS / 2);

describe('a range that takes long', { timeout: 120_000 }, () => {
  it('is shared with an idle worker, and every row is still read once', async (scope) => {
    const gate = await createGate(database.url(), 'places.id', GATE_AFTER);
    scope.onTestFinished(() => gate.close());
    const setup = await setUpRun(scope, {
      databaseUrl: database.url(),
      definition: {
        source: { table: 'places', key: 'id' },
        // PostgreSQL sends what it has every 8 KB: with long rows a worker is seen to move before it stands still.
        document: { name: 'places.name', passed: gate.expression, long: "repeat('x', 400)" },
      },
      settings: { ranges: { count: 2 }, workers: { count: 2 }, local: { poll_interval_ms: 100 } },
    });
    await gate.shut();
    const run = setup.start('run');
    await eventually('the range is cut', async () =>
      (await eventsOf(setup)).some(({ type }) => type === 'cut'),
    );
    await gate.open();
    await gate.open();
    expect(resultOf(await run.ended)).toMatchObject({
      rows: ROWS,
      targets: [{ indexed: ROWS, read_again: { rows: 0 } }],
    });

    const wanted =
      "SELECT id::text, json_build_object('id', id, 'name', name, 'passed', true, 'long', repeat('x', 400))::text AS document FROM places";
    expect(await documentsOf(setup.alias)).toEqual(await documentsInTable(database.url(), wanted));
    expect(new Set(Object.values(await documentVersions(setup.alias)))).toEqual(new Set([1]));
  });
});

/** All that the newest run has recorded so far. */
async function eventsOf({ journal }: RunSetup): Promise<RunEvent[]> {
  const store = openFileStore(journal);
  const [folder = ''] = await store.list('runs');
  const bodies = await Promise.all((await store.list(`${folder}/segments`)).map((name) => store.read(name)));
  return bodies.flatMap((body) => (JSON.parse(body ?? '{"events":[]}') as { events: RunEvent[] }).events);
}
