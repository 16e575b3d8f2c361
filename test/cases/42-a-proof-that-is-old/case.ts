import type { Case } from '../case.ts';

/** The table changes between `validate` and `promote`. */
export const theCase: Case = {
  title: 'promote after the table has changed since validate',
  right:
    'the index is proven again: the alias serves the 15500 rows that the table holds, or promote is refused',
  async play(stage) {
    await stage.sql(
      `CREATE TABLE t (id int PRIMARY KEY, name text);
       INSERT INTO t SELECT n, 'name ' || n FROM generate_series(1, 20000) n; ANALYZE t`,
    );
    const definitions = await stage.definition(
      `alias: ${stage.alias}
source: { table: t, as: t, key: id }
document: { name: t.name }
index: { number_of_replicas: 0 }
`,
    );
    const settings = await stage.settings({ definitions });
    const call = (phase: string): ReturnType<typeof stage.command> =>
      stage.command(phase, '--settings', settings, '--run-key', 'k');
    for (const phase of ['claim', 'create-index', 'reindex', 'finalize', 'validate']) await call(phase);
    await stage.sql(
      `DELETE FROM t WHERE id <= 5000; INSERT INTO t SELECT n, 'came' FROM generate_series(30001, 30500) n`,
    );
    const { code } = await call('promote');
    await stage.search('POST', `/${stage.alias}/_refresh`);
    const { status, body } = await stage.search('GET', `/${stage.alias}/_count`);
    const { count } = body as { count?: number };
    return {
      got: `exit ${code}, the alias serves ${status === 200 ? count : 'nothing'}`,
      ok: code === 0 ? count === 15_500 : status === 404,
    };
  },
};
