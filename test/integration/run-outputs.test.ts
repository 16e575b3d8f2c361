import { describe, expect, it } from 'vitest';
import { resultOf } from '../support/run-command.ts';
import { setUpRun } from '../support/run-setup.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';

/** A run whose reader goes away does its work all the same. */

const database = placesDatabase();

describe.concurrent('a closed output', { timeout: 120_000 }, () => {
  it.for([['stdout'], ['stderr'], ['stdout', 'stderr']] as const)(
    '%s changes nothing else',
    async (closed, scope) => {
      const settings = { workers: { count: 1 } };
      const setup = await setUpRun(scope, { databaseUrl: database.url(), definition: PLACES, settings });
      const run = setup.start('run', '--run-key', 'k');
      for (const output of closed) run.child[output]?.destroy();

      const { code } = await run.ended;

      expect(code).toBe(0);
      expect(await setup.served()).toHaveLength(1);
      const again = await setup.run('run', '--run-key', 'k');
      expect(resultOf(again)).toMatchObject({ status: 'done', indexed: ROWS, finished_before: true });
    },
  );
});
