import { call } from '../../support/search-calls.ts';
import type { Case, Stage } from '../case.ts';

const AWARENESS = 'cluster.routing.allocation.awareness';
/** An attribute that every OpenSearch node has by itself stands in for a zone. */
const ATTRIBUTE = 'shard_indexing_pressure_enabled';
const RULE = {
  [`${AWARENESS}.attributes`]: ATTRIBUTE,
  [`${AWARENESS}.force.${ATTRIBUTE}.values`]: 'true,b,c',
  [`${AWARENESS}.balance`]: 'true',
};

export const theCase: Case = {
  title: 'a cluster that takes only multiples of three copies, where a build has none',
  right:
    'the index is built with the least number of copies and gets its own at the end; a number that is no multiple is refused at the plan with the numbers that are allowed',
  async play(stage) {
    await stage.sql(`CREATE TABLE books AS SELECT n::int AS id, 'book ' || n AS title FROM generate_series(1, 100) n;
      ALTER TABLE books ADD PRIMARY KEY (id)`);
    const url = await stage.ownNode();
    await stage.settings({ target: { url } });
    await call(url, 'PUT', '/_cluster/settings', { persistent: RULE });
    await define(stage, 1);
    const refused = await stage.command('plan');
    await define(stage, 2);
    const plan = await stage.command('plan');
    const run = await stage.command('run');
    const served = await call(url, 'GET', `/${stage.alias}/_settings?flat_settings=true`);
    const names = /number_of_replicas: 2, 5 or 8/.test(refused.stderr + refused.stdout);
    const has = JSON.stringify(served.body).includes('"index.number_of_replicas":"2"');
    return {
      got: `one replica: plan exits ${refused.code}, numbers ${names ? '' : 'not '}named; two: plan ${plan.code}, run ${run.code}, ${has ? 'two replicas' : 'not two replicas'}`,
      ok: refused.code === 1 && names && plan.code === 0 && run.code === 0 && has,
    };
  },
};

function define({ definition, alias }: Stage, replicas: number): Promise<string> {
  return definition(
    `alias: ${alias}\nsource: { table: books, key: id }\ndocument: { title: books.title }\nindex: { number_of_replicas: ${replicas}, health: yellow }\n`,
  );
}
