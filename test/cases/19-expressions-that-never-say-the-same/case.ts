import type { Case } from '../case.ts';

/** A field that is another value at each asking can never be proved. */
export const theCase: Case = {
  title: 'a field indexed_at: now(), then the same field with compare: false',
  right: 'the plan refuses the first and names indexed_at; the second is promoted',
  async play(stage) {
    await stage.sql(
      `CREATE TABLE t (id int PRIMARY KEY, name text);
       INSERT INTO t SELECT n, 'name ' || n FROM generate_series(1, 3000) n; ANALYZE t`,
    );
    const define = (field: string): Promise<string> =>
      stage.definition(
        `alias: ${stage.alias}
source: { table: t, as: t, key: id }
document: { name: t.name, indexed_at: ${field} }
index: { number_of_replicas: 0 }
`,
      );
    await define('now()');
    const plan = await stage.command('plan');
    const named = `${plan.stdout}${plan.stderr}`.includes('document.indexed_at');
    await define('{ sql: now(), compare: false }');
    const run = await stage.command('run', '--run-key', 'k');
    return {
      got: `plan: exit ${plan.code}, indexed_at ${named ? 'named' : 'not named'}; run: exit ${run.code}`,
      ok: plan.code === 1 && named && run.code === 0,
    };
  },
};
