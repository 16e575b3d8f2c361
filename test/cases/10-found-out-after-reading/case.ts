import type { Case } from '../case.ts';

const LIMITS = {
  'cluster.default.index.refresh_interval': '10s',
  'cluster.minimum.index.refresh_interval': '10s',
  'cluster.max_shards_per_node': '1',
};

export const theCase: Case = {
  title: 'a cluster that refuses the refresh interval and the shards that the index gets at its end',
  right: 'the plan and the run refuse both at once, before anything is created',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, 'book ' || n AS title FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    await stage.definition(
      `alias: ${stage.alias}\nsource: { table: books, key: id }\ndocument: { title: books.title }\nindex: { number_of_replicas: 2, health: yellow }\n`,
    );
    await stage.search('PUT', '/_cluster/settings', { persistent: LIMITS });
    const got: string[] = [];
    let ok = true;
    try {
      for (const command of ['plan', 'run']) {
        const { code, stdout, stderr } = await stage.command(command);
        const said = stdout + stderr;
        const both = said.includes('refresh_interval: 10s') && said.includes('cluster.max_shards_per_node');
        ok &&= code === 1 && both;
        got.push(`${command}: exit ${code}, ${both ? 'both named' : 'not both named'}`);
      }
      const left = await stage.search('GET', `/${stage.alias}-*?expand_wildcards=all`);
      const nothing = JSON.stringify(left.body) === '{}';
      return {
        got: `${got.join('; ')}; ${nothing ? 'nothing created' : 'indexes created'}`,
        ok: ok && nothing,
      };
    } finally {
      const none = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, null]));
      await stage.search('PUT', '/_cluster/settings', { persistent: none });
    }
  },
};
