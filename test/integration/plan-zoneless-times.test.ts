import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { parseDefinition } from '../../definition/load.ts';
import { planDefinition } from '../../orchestrator/plan/plan.ts';
import { useTestClient } from '../support/test-client.ts';

const REVIEWS = (select: string) => `, joins: [{ left: "LATERAL (${select}) AS l", on: "true" }]`;

describe('a timestamp without zone below the top of a field', () => {
  let client: Client;
  useTestClient(async (opened) => {
    client = opened;
    // There are no reviews, so no row shows their times.
    await client.query(`
      CREATE TYPE visit AS (place text, at timestamp);
      CREATE DOMAIN local_time AS timestamp;
      CREATE TABLE book (id int PRIMARY KEY, created_at timestamp, "When" timestamp, zoned timestamptz, day date,
        visit visit, visits visit[], open tsrange, stored jsonb, price tstzrange);
      CREATE TABLE review (book_id int, created_at timestamp, zoned timestamptz, domained local_time, stars int);
      CREATE INDEX ON review (book_id);
      CREATE VIEW book_reviews AS SELECT book_id, jsonb_agg(jsonb_build_object('at', created_at)) AS list FROM review GROUP BY book_id;
      CREATE FUNCTION card(timestamp) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN jsonb_build_object('at', $1); END $$;
      INSERT INTO book SELECT n, '2026-07-01 00:30', '2026-07-01 00:30', '2026-07-01 00:30+00', '2026-07-01', NULL, NULL, NULL,
        '{"at": "2026-07-01"}' FROM generate_series(1, 20) n;
      ANALYZE`);
  });

  async function warningsOf(field: string, more = '', zone = 'Europe/Berlin'): Promise<readonly string[]> {
    const text = `source: { table: book, as: book, key: id, time_zone: ${zone}${more} }\ndocument: { v: "${field}" }\n`;
    return (await planDefinition(client, parseDefinition(text, 'test.yaml'), { workers: 1 })).warnings;
  }

  test.each([
    ['an object', "jsonb_build_object('at', book.created_at)", '', 'book.created_at'],
    ['a list', 'json_build_array(1, book.created_at)', '', 'book.created_at'],
    ['a column whose name needs quotes', 'jsonb_build_object(\'at\', book.\\"When\\")', '', 'book."When"'],
    ['an object of the SQL standard', "JSON_OBJECT('at': book.created_at)", '', 'book.created_at'],
    ['a whole row', 'to_jsonb(book)', '', 'book.created_at'],
    ['a value by itself', 'to_jsonb(book.created_at)', '', 'book.created_at'],
    [
      'a time of which parts are used too',
      "jsonb_build_object('at', book.created_at, 'year', extract(year from book.created_at))",
      '',
      'book.created_at',
    ],
    [
      'joined rows',
      'l.list',
      REVIEWS(
        "SELECT jsonb_agg(jsonb_build_object('at', r.created_at)) AS list FROM review r WHERE r.book_id = book.id",
      ),
      'r.created_at',
    ],
    [
      'joined rows, whole',
      'l.list',
      REVIEWS('SELECT jsonb_agg(r) AS list FROM review r WHERE r.book_id = book.id'),
      'r.created_at',
    ],
    [
      'joined rows of a domain',
      'l.list',
      REVIEWS('SELECT jsonb_agg(r.domained) AS list FROM review r WHERE r.book_id = book.id'),
      'r.domained',
    ],
    [
      'a subquery',
      '(SELECT json_agg(r.created_at) FROM review r WHERE r.book_id = book.id)',
      '',
      'r.created_at',
    ],
    [
      'a view beneath',
      'br.list',
      ', joins: [{ left: book_reviews AS br, on: br.book_id = book.id }]',
      'created_at',
    ],
    ['a composite value', 'book.visit', '', 'its type has such a part'],
    ['a list of composite values', 'book.visits', '', 'its type has such a part'],
    ['a range of times', 'book.open', '', 'its type has such a part'],
    ['a function that nobody can look into', 'card(book.created_at)', '', 'a sampled row shows one'],
  ])('is named by the plan in %s, with what to write', async (_what, field, more, shownBy) => {
    const warnings = await warningsOf(field, more);
    expect(warnings).toEqual([
      expect.stringContaining('document.v: This holds times without zone inside of JSON'),
    ]);
    expect(warnings[0]).toContain(shownBy);
    expect(warnings[0]).toContain("Write … AT TIME ZONE 'Europe/Berlin' for each");
  });

  test.each([
    ['at the top', 'book.created_at', ''],
    ['in a list of times with a zone', 'jsonb_build_array(book.zoned, book.day)', ''],
    [
      'that the expression gives a zone',
      "jsonb_build_object('at', book.created_at AT TIME ZONE 'Europe/Berlin')",
      '',
    ],
    ['that becomes a text', "jsonb_build_object('at', to_char(book.created_at, 'YYYY'))", ''],
    ['that becomes a day', "jsonb_build_object('at', book.created_at::date)", ''],
    [
      'that only chooses rows',
      'l.list',
      REVIEWS(
        "SELECT jsonb_agg(r.stars ORDER BY r.zoned) AS list FROM review r WHERE r.book_id = book.id AND r.created_at > '2020-01-01'",
      ),
    ],
    ['beside a stored JSON', 'book.stored', ''],
    ['beside a range of times with a zone', 'book.price', ''],
  ])('is not complained of %s', async (_what, field, more) => {
    expect(await warningsOf(field, more)).toEqual([]);
  });

  test('is right as it stands where the definition’s zone is UTC', async () => {
    expect(await warningsOf("jsonb_build_object('at', book.created_at)", '', 'UTC')).toEqual([]);
  });
});
