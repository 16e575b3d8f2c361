import type { Case } from '../case.ts';

/** A field's zone reaches a time at the top, and not the same time inside of JSON. */
export const theCase: Case = {
  title: 'reviews with times without zone inside of jsonb, time_zone: Europe/Berlin',
  right: 'the plan refuses or warns of reviews, and says to write AT TIME ZONE',
  async play(stage) {
    await stage.sql(
      `CREATE TABLE book (id int PRIMARY KEY, created_at timestamp);
       CREATE TABLE review (book_id int, created_at timestamp);
       INSERT INTO book SELECT n, '2026-07-01 00:30' FROM generate_series(1, 100) n;
       INSERT INTO review SELECT n, '2026-07-01 00:30' FROM generate_series(1, 100) n; ANALYZE`,
    );
    await stage.definition(
      `alias: ${stage.alias}
source:
  table: book
  key: id
  time_zone: Europe/Berlin
  joins:
    - left: |
        LATERAL (SELECT jsonb_agg(jsonb_build_object('at', r.created_at)) AS list
                 FROM review AS r WHERE r.book_id = book.id) AS reviews
      on: "true"
document:
  at: book.created_at
  reviews: { sql: reviews.list, mapping: { type: nested, properties: { at: { type: date } } } }
index: { number_of_replicas: 0 }
`,
    );
    const { code, stdout, stderr } = await stage.command('plan');
    const said = `${stdout}${stderr}`;
    const named = said.includes('document.reviews') && said.includes('AT TIME ZONE');
    return { got: `exit ${code}, reviews ${named ? 'are named' : 'are not named'}`, ok: named };
  },
};
