import type { Case, CommandEnd } from '../case.ts';

export const theCase: Case = {
  title: 'a definition makes dead letters; it is mended, and the same command is given again',
  right:
    'the refusal names the one command, which begins the run anew under its key and leaves one index; an abandoned key can be used again',
  async play({ alias, command, definition, search, sql }) {
    await sql(
      `CREATE TABLE things (id int PRIMARY KEY, size text);
       INSERT INTO things SELECT n, CASE n WHEN 7 THEN 'seven' ELSE n::text END FROM generate_series(1, 50) n; ANALYZE things`,
    );
    const define = (type: string): Promise<string> =>
      definition(
        `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0 }\ndocument: { size: { sql: things.size, mapping: { type: ${type} } } }\n`,
      );
    await define('integer');
    const failed = await command('run', '--run-key', 'day 1');
    await define('keyword');
    const refused = await command('run', '--run-key', 'day 1');
    const restart = /`reindex-fleet (run --run-key 'day 1' --restart)`/.test(wordsOf(refused));
    const anew = await command('run', '--run-key', 'day 1', '--restart');
    const { body } = await search('GET', `/${alias}*`);
    const indexes = Object.keys(body as object).filter((name) => !name.endsWith('-dead-letters'));

    await define('integer');
    const second = await command('run', '--run-key', 'day 2');
    const abandoned = await command('abandon', '--run-key', 'day 2');
    await define('keyword');
    const again = await command('run', '--run-key', 'day 2');

    const codes = [failed, refused, anew, second, abandoned, again].map(({ code }) => code);
    return {
      got: `exits ${codes.join(', ')} (right: 1, 1, 0, 1, 0, 0), ${indexes.length} index after the restart; refused with: ${wordsOf(refused)}; the abandoned key: ${wordsOf(again)}`,
      ok: restart && codes.join(' ') === '1 1 0 1 0 0' && indexes.length === 1,
    };
  },
};

function wordsOf({ result }: CommandEnd): string {
  return String(result['error'] ?? result['status']);
}
