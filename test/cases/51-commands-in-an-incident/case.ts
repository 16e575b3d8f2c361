import { rm, writeFile } from 'node:fs/promises';
import type { Case } from '../case.ts';

export const theCase: Case = {
  title:
    'an incident: the definition is broken, then gone, then one of two, and a section of the settings is wrong',
  right: 'status, rollback, promote and abandon work from the journal alone',
  async play({ alias, command, definition, search, settings, sql }) {
    await sql(
      `CREATE TABLE things (id int PRIMARY KEY, name text); INSERT INTO things SELECT n, 'thing' FROM generate_series(1, 50) n; ANALYZE things`,
    );
    const whole = `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0 }\nretain: 1\ndocument: { name: things.name }\n`;
    const file = await definition(whole);
    for (const key of ['a', 'b']) await command('run', '--run-key', key);
    const served = async (): Promise<string> =>
      Object.keys((await search('GET', `/_alias/${alias}`)).body as object).join();
    const newest = await served();
    const got: string[] = [];
    const give = async (...args: string[]): Promise<void> => {
      const { code, result } = await command(...args);
      if (code !== 0) got.push(`${args.join(' ')}: ${String(code)} (${String(result['error'])})`);
    };

    await writeFile(file, `${whole}foo: [\n`);
    await give('status');
    await give('rollback', '--run-key', 'b');
    if ((await served()) === newest) got.push('rollback with a broken definition moved nothing');
    await give('promote', '--run-key', 'b');
    if ((await served()) !== newest) got.push('promote with a broken definition moved nothing');
    await rm(file);
    await give('status');
    await give('rollback', '--run-key', 'b');
    await give('promote', '--run-key', 'b');
    await definition(whole);
    await definition(whole.replace(alias, `${alias}_other`), 'other');
    await give('status');
    await give('rollback', '--run-key', 'b');
    await give('promote', '--run-key', 'b');
    await give('claim', '--run-key', 'c', '--definition', 'case');
    await settings({ workers: { count: 'many' }, nonsense: 1 });
    await give('status');
    await give('abandon');
    return { got: got.join('; ') || 'each of them worked', ok: got.length === 0 };
  },
};
