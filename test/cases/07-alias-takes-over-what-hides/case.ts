import type { Case } from '../case.ts';

const ROWS = 3_000;

export const theCase: Case = {
  title: 'the alias has a routing, and the new index has three shards',
  right:
    'the alias does not move, and both numbers are said; without the routing the same command moves it, and readers find every row',
  async play({ alias, command, definition, search, sql }) {
    await sql(
      `CREATE TABLE things (id int PRIMARY KEY, name text);
       INSERT INTO things SELECT n, 'thing ' || n FROM generate_series(1, ${ROWS}) n; ANALYZE things`,
    );
    await definition(
      `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0, settings: { number_of_shards: 3 } }\ndocument: { name: things.name }\n`,
    );
    const old = `${alias}-old`;
    await search('PUT', `/${old}`, { aliases: { [alias]: { routing: 'r' } } });
    const refused = await command('run', '--run-key', 'k');
    const words = String(refused.result['error'] ?? refused.result['status']);
    const before = await servedBy(search, alias);
    await search('POST', '/_aliases', {
      actions: [{ remove: { index: old, alias } }, { add: { index: old, alias } }],
    });
    const moved = await command('run', '--run-key', 'k');
    const found = (await search('POST', `/${alias}/_search`, { size: 0, track_total_hits: true })).body as {
      hits?: { total?: { value?: number } };
    };
    const readers = found.hits?.total?.value ?? null;
    const isSaid = /would find \d+ of 3000 documents/.test(words);
    return {
      got: `exits ${refused.code}, ${moved.code} (right: 1, 0), alias on ${before.join(', ')} after the first, readers find ${readers} after the second; refused with: ${words}`,
      ok: refused.code === 1 && isSaid && before.join() === old && moved.code === 0 && readers === ROWS,
    };
  },
};

async function servedBy(
  search: (method: string, path: string) => Promise<{ body: unknown }>,
  alias: string,
): Promise<string[]> {
  return Object.keys((await search('GET', `/_alias/${alias}`)).body as object);
}
