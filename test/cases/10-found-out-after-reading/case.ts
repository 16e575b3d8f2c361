import { call } from '../../support/search-calls.ts';
import type { Case } from '../case.ts';

const WATERMARK = 'cluster.routing.allocation.disk.watermark';
const LIMITS = {
  'cluster.default.index.refresh_interval': '10s',
  'cluster.minimum.index.refresh_interval': '10s',
  'cluster.max_shards_per_node': '1',
  'cluster.routing.allocation.disk.threshold_enabled': 'true',
  [`${WATERMARK}.low`]: '1%',
  [`${WATERMARK}.high`]: '2%',
  [`${WATERMARK}.flood_stage`]: '3%',
};
const NAMED = ['refresh_interval: 10s', 'cluster.max_shards_per_node', `${WATERMARK}.high`];

export const theCase: Case = {
  title:
    'a cluster that refuses the refresh interval, the shards and the bytes that the index gets at its end',
  right: 'the plan and the run refuse all at once, before anything is created',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, 'book ' || n AS title FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    await stage.definition(
      `alias: ${stage.alias}\nsource: { table: books, key: id }\ndocument: { title: books.title }\nindex: { number_of_replicas: 2, health: yellow }\n`,
    );
    const url = await stage.ownNode();
    await stage.settings({ target: { url } });
    await call(url, 'PUT', '/_cluster/settings', { persistent: LIMITS });
    const got: string[] = [];
    let ok = true;
    for (const command of ['plan', 'run']) {
      const { code, stdout, stderr } = await stage.command(command);
      const missing = NAMED.filter((name) => !(stdout + stderr).includes(name));
      ok &&= code === 1 && missing.length === 0;
      got.push(
        `${command}: exit ${code}, ${missing.length === 0 ? 'all named' : `without ${missing.join()}`}`,
      );
    }
    const left = await call(url, 'GET', `/${stage.alias}-*?expand_wildcards=all`);
    const nothing = JSON.stringify(left.body) === '{}';
    return {
      got: `${got.join('; ')}; ${nothing ? 'nothing created' : 'indexes created'}`,
      ok: ok && nothing,
    };
  },
};
