import type { Case, ProxyAnswer } from '../case.ts';

const ROWS = 100;

/** A proxy stands in for a second node: it answers as a replica does that is behind, in the form of OpenSearch 3.6. */
export const theCase: Case = {
  title:
    'with segment replication a replica is behind its primary (by a proxy that stands in for the replica)',
  right:
    'validation asks the primary, and the alias moves only after the replica holds what the primary holds',
  async play({ alias, command, definition, proxy, search, settings, sql }) {
    await sql(
      `CREATE TABLE things (id int PRIMARY KEY, name text); INSERT INTO things SELECT n, n::text FROM generate_series(1, ${ROWS}) n`,
    );
    await definition(
      `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0, settings: { replication: { type: SEGMENT } } }\ndocument: { name: things.name }\n`,
    );
    let looks = 0;
    let looksBeforeMove: number | null = null;
    const json = (body: unknown): ProxyAnswer => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const url = await proxy(async ({ method, path, body }) => {
      const [place = ''] = path.split('?');
      if (
        method === 'POST' &&
        place.endsWith('/_count') &&
        !path.includes('_primary') &&
        !/-dead/.test(place)
      )
        return json({ count: ROWS / 2, _shards: { total: 1, successful: 1, failed: 0 } });
      if (place === '/_aliases' && body.includes(`"alias":"${alias}"`)) looksBeforeMove ??= looks;
      if (!place.endsWith('/_segments')) return null;
      looks += 1;
      const answer = await search('GET', place);
      return looks > 2 ? null : json(withReplicaBehind(answer.body));
    });
    await settings({ target: { url } });
    const { code, result } = await command('run', '--run-key', '1');
    return {
      got: `exit ${code}, ${looksBeforeMove ?? 'no'} looks at the replica before the alias moved (2 of them saw it behind); ${JSON.stringify(result['error'] ?? 'no error')}`,
      ok: code === 0 && looksBeforeMove !== null && looksBeforeMove >= 3,
    };
  },
};

/** The answer with one more copy of each shard, which lacks documents. */
function withReplicaBehind(answer: unknown): unknown {
  const text = JSON.stringify(answer, (_name, value: unknown) => {
    if (!Array.isArray(value) || value.length !== 1) return value;
    const [primary] = value as { routing?: object; segments?: object }[];
    if (primary?.routing === undefined) return value;
    return [
      primary,
      { ...primary, routing: { ...primary.routing, primary: false, node: 'second' }, segments: {} },
    ];
  });
  return JSON.parse(text);
}
