import type { Case } from '../case.ts';

/** The catalogue says NOT NULL, and rows without a key remain. */
export const theCase: Case = {
  title:
    '7 rows of 5,007 whose key is NULL under NOT NULL … NOT VALID; then such rows that come after the plan',
  right: 'plan and proof refuse with the number 7 and a statement that shows them; the alias serves nothing',
  async play(stage) {
    await stage.sql(
      `CREATE TABLE nv (id bigint, a text); CREATE UNIQUE INDEX ON nv (id);
       INSERT INTO nv SELECT n, 'a' FROM generate_series(1, 5000) n; ANALYZE nv`,
    );
    await stage.definition(
      `alias: ${stage.alias}
source: { table: nv, as: nv, key: id }
document: { a: nv.a }
index: { number_of_replicas: 0 }
`,
    );
    const keyless = `ALTER TABLE nv DROP CONSTRAINT IF EXISTS n;
      INSERT INTO nv SELECT NULL, 'lost' FROM generate_series(1, 7);
      ALTER TABLE nv ADD CONSTRAINT n NOT NULL id NOT VALID`;
    await stage.sql(keyless);
    const planned = await stage.command('plan');
    await stage.sql(`DELETE FROM nv WHERE id IS NULL`);
    for (const phase of ['claim', 'create-index', 'reindex', 'finalize'])
      await stage.command(phase, '--run-key', 'k');
    await stage.sql(keyless);
    const run = await stage.command('run', '--run-key', 'k');
    const shown = async (text: string): Promise<number> => {
      const [statement] = /SELECT \*.*?(?= shows them)/.exec(text) ?? [];
      return statement === undefined ? 0 : (await stage.sql(statement)).length;
    };
    const byPlan = await shown(String(planned.result['error']));
    const byProof = await shown(String(run.result['error']));
    const { status } = await stage.search('GET', `/${stage.alias}/_count`);
    return {
      got: `plan: exit ${planned.code}, shows ${byPlan}; run: exit ${run.code}, shows ${byProof}; the alias ${status === 404 ? 'serves nothing' : 'serves'}`,
      ok: planned.code === 1 && byPlan === 7 && run.code === 1 && byProof === 7 && status === 404,
    };
  },
};
