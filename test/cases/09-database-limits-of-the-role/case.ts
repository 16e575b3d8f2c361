import type { Case } from '../case.ts';

/** Workers stand above the limits of their role, and validation does too. */
export const theCase: Case = {
  title: 'a role with statement_timeout = 300ms, and a condition that takes seconds',
  right: 'exit 0, the alias serves all 400 rows',
  async play(stage) {
    const role = `${stage.alias}_reader`;
    await stage.sql(
      `CREATE TABLE t (id int PRIMARY KEY, name text);
       INSERT INTO t SELECT n, 'name ' || n FROM generate_series(1, 400) n; ANALYZE t;
       CREATE ROLE ${role} LOGIN PASSWORD 'secret'; GRANT SELECT ON t TO ${role};
       ALTER ROLE ${role} SET statement_timeout = '300ms'`,
    );
    await stage.definition(
      `alias: ${stage.alias}
source: { table: t, as: t, key: id, where: "pg_sleep(0.005) IS NOT NULL" }
document: { name: t.name }
index: { number_of_replicas: 0 }
`,
    );
    const url = Object.assign(new URL(stage.databaseUrl), { username: role, password: 'secret' }).href;
    await stage.settings({ source: { url }, ranges: { count: 1 } });
    const { code, result } = await stage.command('run', '--run-key', 'k');
    await stage.sql(`DROP OWNED BY ${role}`);
    const { body } = await stage.search('GET', `/${stage.alias}/_count`);
    const { count } = body as { count?: number };
    return {
      got: `exit ${code}, the alias serves ${count ?? 'nothing'}${code === 0 ? '' : `: ${String(result['error'])}`}`,
      ok: code === 0 && count === 400,
    };
  },
};
