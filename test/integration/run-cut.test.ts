import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { openFileStore } from '../../orchestrator/journal/file-store.ts';
import { resultOf } from '../support/run-command.ts';
import { documentsInTable, documentsOf, documentVersions, sql } from '../support/run-documents.ts';
import { type RunSetup, setUpRun } from '../support/run-setup.ts';
import { placesDatabase, ROWS } from '../support/run-table.ts';

/** The rest of a running range is cut and given to workers that have nothing to do. */

const database = placesDatabase();
/** Each of these rows takes a worker a while to read: all of them in one go would take 16 s. */
const SLOW_ROWS = 800;

describe('a range that takes long', { timeout: 120_000 }, () => {
  it('is shared among idle workers, and every row is still read once', async (scope) => {
    await sql(
      database.url(),
      `CREATE FUNCTION dawdle(key bigint) RETURNS bigint LANGUAGE plpgsql AS $$
       BEGIN
         IF key > ${ROWS - SLOW_ROWS} AND current_setting('application_name') = 'reindex-fleet worker' THEN
           PERFORM pg_sleep(0.02);
         END IF;
         RETURN key;
       END $$`,
    );
    const definition = {
      source: { table: 'places', key: 'id' },
      // PostgreSQL sends what it has every 8 KB: with long rows a worker is seen to move.
      document: { name: 'places.name', again: 'dawdle(places.id)', long: "repeat('x', 400)" },
    };
    const setup = await setUpRun(scope, {
      databaseUrl: database.url(),
      definition,
      settings: { ranges: { count: 5 }, workers: { count: 4, poll_interval_ms: 100 } },
    });
    expect(resultOf(await setup.run('run'))).toMatchObject({ rows: ROWS, indexed: ROWS, rows_read_again: 0 });

    const events = await eventsOf(setup);
    const workers = new Set(events.flatMap((event) => (event.type === 'assigned' ? [event.instance] : [])));
    const cuts = events.filter(({ type }) => type === 'cut');
    expect(cuts.length).toBeGreaterThan(0);
    expect(workers.size).toBe(4);
    const rows =
      "SELECT id::text, json_build_object('id', id, 'name', name, 'again', id, 'long', repeat('x', 400))::text AS document FROM places";
    expect(await documentsOf(setup.alias)).toEqual(await documentsInTable(database.url(), rows));
    expect(new Set(Object.values(await documentVersions(setup.alias)))).toEqual(new Set([1]));
  });
});

/** All that the newest run has recorded. */
async function eventsOf({ journal }: RunSetup): Promise<RunEvent[]> {
  const store = openFileStore(journal);
  const [folder = ''] = await store.list('runs');
  const bodies = await Promise.all((await store.list(`${folder}/segments`)).map((name) => store.read(name)));
  return bodies.flatMap((body) => (JSON.parse(body ?? '{}') as { events: RunEvent[] }).events);
}
