import type { Case, Stage } from '../case.ts';

const ROWS = 10_000;
const CHANGED = 50;

/** Rows change after they were read and before the alias moves. */
export const theCase: Case = {
  title: 'rows that change after they were read, in a table with changed_at',
  right: `${CHANGED} of ${CHANGED} documents hold the new value; the result says what was read again, and that nothing is old`,
  async play(stage) {
    const call = await prepare(stage);
    for (const phase of ['claim', 'create-index', 'reindex']) await call(phase);
    await stage.sql(
      "UPDATE t SET name = 'NEW', updated_at = clock_timestamp() WHERE id % 200 = 7 AND id > 0",
    );
    const { code, result } = await call('run');
    await stage.search('POST', `/${stage.alias}/_refresh`);
    const { body } = await stage.search('POST', `/${stage.alias}/_count`, {
      query: { term: { 'name.keyword': 'NEW' } },
    });
    const { count } = body as { count?: number };
    const [target] = (result['targets'] ?? []) as Record<string, unknown>[];
    const stale = target?.['stale'] as { rows?: number | null } | null | undefined;
    return {
      got: `exit ${code}, ${count ?? 'no'} documents hold it; read again ${JSON.stringify(target?.['read_again'])}, stale ${JSON.stringify(stale)}`,
      ok: code === 0 && count === CHANGED && stale?.rows === 0,
    };
  },
};

async function prepare(stage: Stage): Promise<(phase: string) => ReturnType<Stage['command']>> {
  await stage.sql(
    `CREATE TABLE t (id int PRIMARY KEY, name text, updated_at timestamptz DEFAULT now());
     INSERT INTO t SELECT n, 'name ' || n FROM generate_series(1, ${ROWS}) n; ANALYZE t`,
  );
  const definitions = await stage.definition(
    `alias: ${stage.alias}
source: { table: t, as: t, key: id, changed_at: t.updated_at }
document: { name: t.name }
index: { number_of_replicas: 0 }
`,
  );
  const settings = await stage.settings({ definitions });
  return (phase) => stage.command(phase, '--settings', settings, '--run-key', 'k');
}
