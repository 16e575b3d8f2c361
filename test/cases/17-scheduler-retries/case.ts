import { setTimeout as sleep } from 'node:timers/promises';
import type { Case } from '../case.ts';

/** The lease of the usual settings is 3 s. A second call that does not wait for the first ends long before. */
const WORKS_FOR_MS = 9_000;

export const theCase: Case = {
  title: 'a scheduler gives the command of a run that still works again, and that of another run',
  right:
    'the same key waits and ends with 0 and the run’s result; the other key ends with 3 and is told who works',
  async play({ alias, command, definition, sql }) {
    await sql(
      `CREATE TABLE things (id int PRIMARY KEY, name text);
       INSERT INTO things SELECT n, 'thing ' || n FROM generate_series(1, 500) n; ANALYZE things;
       CREATE FUNCTION gate(name text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN
         IF current_setting('application_name') = 'reindex-fleet worker' THEN PERFORM pg_advisory_xact_lock_shared(17); END IF;
         RETURN name; END $$`,
    );
    await definition(
      `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0 }\ndocument: { name: gate(things.name) }\n`,
    );
    await sql('SELECT pg_advisory_lock(17)');
    const first = command('run', '--run-key', 'd1');
    let standing: unknown = null;
    while (standing !== 'reindex') standing = (await command('status')).result['phase'];
    const retry = command('run', '--run-key', 'd1');
    const other = await command('run', '--run-key', 'd2');
    await sleep(WORKS_FOR_MS);
    await sql('SELECT pg_advisory_unlock(17)');
    const [done, again] = await Promise.all([first, retry]);

    const told = String(other.result['error']);
    const same = done.code === 0 && again.code === 0 && done.result['run'] === again.result['run'];
    return {
      got: `first ${done.code}, retry ${again.code} (${String(again.result['error'] ?? again.result['status'])}), other key ${other.code}: ${told}`,
      ok: same && other.code === 3 && told.includes('key d1'),
    };
  },
};
