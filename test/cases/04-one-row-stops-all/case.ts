import type { Case } from '../case.ts';

const BAD = 30_001;

export const theCase: Case = {
  title: 'the expression of one row of 50,000 fails: a subquery gives two rows, a function raises',
  right: 'the row is a dead letter with its key and the database’s words, and the run ends with 0',
  async play({ alias, command, definition, search, sql }) {
    await sql(
      `CREATE TABLE books (id int PRIMARY KEY, name text);
       INSERT INTO books SELECT n, 'book ' || n FROM generate_series(1, 50000) n;
       CREATE TABLE tags (book_id int, name text); CREATE INDEX ON tags (book_id);
       INSERT INTO tags VALUES (1, 'one'), (${BAD}, 'one'), (${BAD}, 'two');
       CREATE FUNCTION checked(id int) RETURNS int LANGUAGE plpgsql AS
       $$ BEGIN IF id = ${BAD} THEN RAISE 'not %', id; END IF; RETURN id; END $$;
       ANALYZE books`,
    );
    const got: string[] = [];
    let ok = true;
    for (const [field, state] of [
      ['(SELECT tags.name FROM tags WHERE tags.book_id = books.id)', '21000'],
      ['checked(books.id)', 'P0001'],
    ] as const) {
      await definition(
        `alias: ${alias}\nsource: { table: books, key: id }\nindex: { number_of_replicas: 0 }\ndead_letters: { promote_limit: 5 }\ndocument: { name: books.name, broken: "${field}" }\n`,
      );
      const { code, result } = await command('run');
      const { body } = await search('GET', `/${alias}-*-dead-letters/_search?size=10&sort=_index:desc`);
      const letters = JSON.stringify(body);
      const named = letters.includes(`"_id":"${BAD}"`) && letters.includes(`SQLSTATE ${state}`);
      got.push(`${state}: exit ${code}, ${named ? 'the row is a dead letter' : String(result['error'])}`);
      ok &&= code === 0 && named;
    }
    return { got: got.join('; '), ok };
  },
};
