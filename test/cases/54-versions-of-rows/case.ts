import type { Case } from '../case.ts';

/** What cannot be a version is known before the run, and a setting decides. */
export const theCase: Case = {
  title: 'changed_at is null, infinite or before 1970 in 8 of 10 rows',
  right:
    'the plan says 8 rows; with unusable_changed_at: lowest_version all 10 are promoted, and the result says of 8 that later updates are not seen',
  async play(stage) {
    await stage.sql(
      `CREATE TABLE t (id int PRIMARY KEY, updated_at timestamptz);
       INSERT INTO t SELECT n, (ARRAY['2026-01-01', '2026-01-02', NULL, NULL, NULL, NULL, NULL, '1969-05-01', 'infinity', '-infinity'])[n]::timestamptz
         FROM generate_series(1, 10) n; ANALYZE t`,
    );
    const define = (more: string): Promise<string> =>
      stage.definition(
        `alias: ${stage.alias}
source: { table: t, as: t, key: id, changed_at: t.updated_at${more} }
document: { at: t.updated_at }
index: { number_of_replicas: 0 }
`,
      );
    await define('');
    const plan = await stage.command('plan');
    const said = /\b8 rows have a changed_at/.test(plan.stderr);
    await define(', unusable_changed_at: lowest_version');
    const run = await stage.command('run', '--run-key', 'k');
    const said8 = JSON.stringify(run.result['targets'] ?? '').includes('8 rows have a changed_at');
    await stage.search('POST', `/${stage.alias}/_refresh`);
    const { body } = await stage.search('GET', `/${stage.alias}/_count`);
    const { count } = body as { count?: number };
    return {
      got: `plan: exit ${plan.code}, 8 rows ${said ? 'said' : 'not said'}; run: exit ${run.code}, the alias serves ${count ?? 'nothing'}, later updates ${said8 ? 'said' : 'not said'} to be unseen`,
      ok: plan.code === 0 && said && run.code === 0 && count === 10 && said8,
    };
  },
};
