import type { Case } from '../case.ts';

const FORBIDDEN = {
  status: 403,
  body: '{"error":{"type":"security_exception","reason":"no permissions for this action"},"status":403}',
};

export const theCase: Case = {
  title: 'shards of the new index find no place',
  right:
    'the plan names the rule; a run that may not look at the nodes (a proxy stands in) fails before the first launch with the cluster’s own explanation, and nothing is left',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, 'book ' || n AS title FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    await stage.definition(
      `alias: ${stage.alias}\nsource: { table: books, key: id }\ndocument: { title: books.title }\nindex: { number_of_replicas: 0, settings: { routing.allocation.require.box: nowhere } }\n`,
    );
    const plan = await stage.command('plan');
    const named = (plan.stdout + plan.stderr).includes('routing.allocation.require.box: nowhere');
    const url = await stage.proxy(({ path }) => (path.startsWith('/_nodes') ? FORBIDDEN : null));
    await stage.settings({ target: { url } });
    const { code, stdout, stderr } = await stage.command('run');
    const explained = /does not match index setting .*nowhere/.test(stdout + stderr);
    const left = await stage.search('GET', `/${stage.alias}-2*?expand_wildcards=all`);
    const nothing = JSON.stringify(left.body) === '{}';
    return {
      got: `plan: exit ${plan.code}, ${named ? 'named' : 'not named'}; run: exit ${code}, ${explained ? 'explained' : 'not explained'}, ${nothing ? 'nothing left' : 'indexes left'}`,
      ok: plan.code === 1 && named && code === 1 && explained && nothing,
    };
  },
};
