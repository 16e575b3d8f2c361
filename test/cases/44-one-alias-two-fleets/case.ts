import type { Case } from '../case.ts';

export const theCase: Case = {
  title: 'two fleets rebuild one alias at the same time, and the first fleet does so from another journal',
  right:
    'while the first has the alias, the others are refused, and it is named; later the second fleet does not replace the index of the first',
  async play({ alias, command, definition, search, settings, sql }) {
    await sql(
      `CREATE TABLE things (id int PRIMARY KEY, name text);
       INSERT INTO things SELECT n, 'thing ' || n FROM generate_series(1, 100) n; ANALYZE things`,
    );
    await definition(
      `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0 }\ndocument: { name: things.name }\n`,
    );
    const first = `${alias}_first`;
    await settings({ fleet: first });
    const claimed = await command('claim', '--run-key', 'one');
    await settings({ fleet: `${alias}_second` });
    const second = await command('run', '--run-key', 'two');
    await settings({ fleet: first, journal: { url: 'elsewhere' } });
    const elsewhere = await command('run', '--run-key', 'three');
    await settings({ fleet: first });
    const done = await command('run', '--run-key', 'one');
    await settings({ fleet: `${alias}_second` });
    const later = await command('run', '--run-key', 'four');
    const serves = Object.keys((await search('GET', `/_alias/${alias}`)).body as object).join();
    const target = (done.result['targets'] as { index: string }[] | undefined)?.[0]?.index;
    const codes = [claimed, second, elsewhere, done, later].map(({ code }) => code).join(', ');
    const words = String(second.result['error'] ?? second.result['status']);
    return {
      got: `exits ${codes} (right: 0, 3, 3, 0, 1), the alias is on ${serves === target ? "the first fleet's index" : serves}; the second was refused with: ${words}`,
      ok: codes === '0, 3, 3, 0, 1' && serves === target && words.includes(first) && words.includes('one'),
    };
  },
};
