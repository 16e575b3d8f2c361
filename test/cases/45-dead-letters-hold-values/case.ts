import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case } from '../case.ts';

/** Stands in every value that must not be kept. */
const MARKER = 'jane.4711@example.org';

export const theCase: Case = {
  title: 'texts where numbers are wanted, by the database and by the index, and no field may be kept',
  right: 'no value in dead letters, output, logs and journal; the reasons name field and type',
  async play({ alias, command, definition, folder, search, sql }) {
    await sql(
      `CREATE TABLE people (id int PRIMARY KEY, age text, mail text);
       INSERT INTO people SELECT n, n::text, n::text FROM generate_series(1, 2000) n;
       UPDATE people SET age = '${MARKER}' WHERE id IN (7, 1500); UPDATE people SET mail = '${MARKER}' WHERE id IN (8, 900);
       CREATE FUNCTION checked(mail text, id int) RETURNS text LANGUAGE plpgsql AS
       $$ BEGIN IF id = 12 THEN RAISE 'this is %', '${MARKER}'; END IF; RETURN mail; END $$; ANALYZE people`,
    );
    await definition(
      `alias: ${alias}\nsource: { table: people, key: id }\nindex: { number_of_replicas: 0 }\ndead_letters: { promote_limit: 10, keep_fields: [] }\ndocument: { age: "people.age::int", mail: { sql: "checked(people.mail, people.id)", mapping: { type: integer } } }\n`,
    );
    const planned = await command('plan');
    const ended = await command('run');
    const { body } = await search('GET', `/${alias}-*-dead-letters/_search?size=100`);
    const letters = JSON.stringify(body);
    const places: readonly (readonly [string, string])[] = [
      ['dead letters', letters],
      ['output of plan', planned.stdout + planned.stderr],
      ['standard output', ended.stdout],
      ['standard error', ended.stderr],
      ['files of the run', await textsIn(folder)],
    ];
    const leaks = places.filter(([, text]) => text.includes(MARKER)).map(([name]) => name);
    const said = letters.includes('field \\"mail\\" of type integer') && letters.includes('field \\"age\\"');
    return {
      got: `exit ${ended.code}; values in: ${leaks.join(', ') || 'nothing'}; the reasons ${said ? 'name' : 'do not name'} field and type`,
      ok: ended.code === 0 && leaks.length === 0 && said,
    };
  },
};

/** All files below the folder, but for the definitions. */
async function textsIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('definitions'));
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'utf8')),
  );
  return texts.join('\n');
}
