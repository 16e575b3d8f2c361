import type { Case } from '../case.ts';

/** Rows come, go and leave `where` in mid-run, so ranges are read again. */
export const theCase: Case = {
  title: 'figures of the result after rows have changed in mid-run',
  right:
    'rows 9500, indexed 9000, filtered 500 are those of the promoted index, in the status too; what was read again stands beside',
  async play(stage) {
    await stage.sql(
      `CREATE TABLE t (id int PRIMARY KEY, name text, shown boolean DEFAULT true);
       INSERT INTO t SELECT n, 'name ' || n FROM generate_series(1, 10000) n; ANALYZE t`,
    );
    const definitions = await stage.definition(
      `alias: ${stage.alias}
source: { table: t, as: t, key: id, where: t.shown }
document: { name: t.name }
index: { number_of_replicas: 0 }
`,
    );
    const settings = await stage.settings({ definitions });
    const call = (phase: string): ReturnType<typeof stage.command> =>
      stage.command(phase, '--settings', settings, '--run-key', 'k');
    for (const phase of ['claim', 'create-index', 'reindex']) await call(phase);
    await stage.sql('DELETE FROM t WHERE id <= 500; UPDATE t SET shown = false WHERE id > 9500');
    const { code, result } = await call('run');
    const status = await stage.command('status', '--settings', settings, '--run-key', 'k');
    const settled = JSON.stringify(status.result['settled']);
    const sameStatus = /"rows":9500,.*"indexed":9000,.*"filtered":500,/.test(settled);
    const [target = {}] = (result['targets'] ?? []) as Record<string, unknown>[];
    const { indexed, filtered, read_again: again } = target;
    const { rows: readAgain = 0 } = (again ?? {}) as { rows?: number };
    return {
      got: `exit ${code}, rows ${String(result['rows'])}, indexed ${String(indexed)}, filtered ${String(filtered)}, read again ${JSON.stringify(again)}; status: ${settled}`,
      ok:
        code === 0 &&
        result['rows'] === 9_500 &&
        indexed === 9_000 &&
        filtered === 500 &&
        readAgain > 0 &&
        sameStatus,
    };
  },
};
