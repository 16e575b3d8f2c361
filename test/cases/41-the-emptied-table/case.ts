import type { Case } from '../case.ts';

export const theCase: Case = {
  title: 'a table of 5,000 rows is emptied before the nightly run, with retain: 0',
  right:
    'the run is refused with both counts; with --allow-shrink it goes on, the full index stays, and rollback brings it back',
  async play({ alias, command, definition, search, sql }) {
    await sql(
      `CREATE TABLE things (id int PRIMARY KEY, name text);
       INSERT INTO things SELECT n, 'thing ' || n FROM generate_series(1, 5000) n; ANALYZE things`,
    );
    await definition(
      `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0 }\nretain: 0\ndocument: { name: things.name }\n`,
    );
    const serves = async (): Promise<number | null> => {
      const { body } = await search('POST', `/${alias}/_count`);
      return (body as { count?: number }).count ?? null;
    };
    const full = await command('run', '--run-key', 'day 1');
    await sql('TRUNCATE things');
    const refused = await command('run', '--run-key', 'day 2');
    const words = String(refused.result['error'] ?? refused.result['status']);
    const afterRefusal = await serves();
    const accepted = await command('run', '--run-key', 'day 2', '--allow-shrink');
    const afterAcceptance = await serves();
    const back = await command('rollback');
    const afterRollback = await serves();
    const codes = [full, refused, accepted, back].map(({ code }) => code).join(', ');
    const counts = [afterRefusal, afterAcceptance, afterRollback].join(', ');
    return {
      got: `exits ${codes} (right: 0, 1, 0, 0), readers find ${counts} documents (right: 5000, 0, 5000); refused with: ${words}`,
      ok:
        codes === '0, 1, 0, 0' &&
        counts === '5000, 0, 5000' &&
        /has 5000\b/.test(words) &&
        /has 0\b/.test(words),
    };
  },
};
