import { describe, expect, it } from 'vitest';
import {
  type DatabaseSaying,
  fullDatabaseWords,
  safeDatabaseWords,
} from '../../definition/database-words.ts';

/** Stands where PostgreSQL puts the value of a row. */
const VALUE = 'jane@example.org';

function saying(code: string, message: string, more: Partial<DatabaseSaying> = {}): DatabaseSaying {
  return { code, message, ...more };
}

describe('the database’s words about a row', () => {
  it.each<[DatabaseSaying, string]>([
    [saying('22012', 'division by zero'), 'division by zero, SQLSTATE 22012'],
    [
      saying('22P02', `invalid input syntax for type integer: "${VALUE}"`),
      'invalid input syntax for type integer: …, SQLSTATE 22P02',
    ],
    [
      saying('22003', `value "${VALUE}" is out of range for type integer`),
      'value … is out of range for type integer, SQLSTATE 22003',
    ],
    [
      saying('22P02', `invalid input syntax for type uuid: "a"b ${VALUE}\n"c"`),
      'invalid input syntax for type uuid: …, SQLSTATE 22P02',
    ],
    [
      saying('22P02', 'invalid input syntax for type json', { detail: `Token "${VALUE}" is invalid.` }),
      'invalid input syntax for type json, SQLSTATE 22P02',
    ],
    [
      saying('22021', 'invalid byte sequence for encoding "UTF8": 0x6a 0x61'),
      'invalid byte sequence for encoding …: …, SQLSTATE 22021',
    ],
    [
      saying('22P02', `ungültige Eingabesyntax für Typ integer: »${VALUE}«`),
      'ungültige Eingabesyntax für Typ integer: …, SQLSTATE 22P02',
    ],
    [
      saying('P0001', `${VALUE} is wrong`, {
        routine: 'exec_stmt_raise',
        where: 'PL/pgSQL function shop.check_book(text) line 3 at RAISE',
      }),
      'error raised in a function in the function shop.check_book, SQLSTATE P0001',
    ],
    [
      saying('57014', `${VALUE} is wrong`, { routine: 'exec_stmt_raise' }),
      'error raised in a function, SQLSTATE 57014',
    ],
    [
      saying('ZZ001', `${VALUE} is wrong`, { where: 'PL/Python function "check"' }),
      'error raised in a function, SQLSTATE ZZ001',
    ],
    [
      saying('42P01', `relation "${VALUE}" does not exist`, {
        where: `SQL statement "SELECT * FROM ${VALUE}"\nPL/pgSQL function look(text) line 1 at EXECUTE`,
      }),
      'relation … does not exist in the function look, SQLSTATE 42P01',
    ],
    [saying('42703', 'column "nmae" does not exist'), 'column "nmae" does not exist, SQLSTATE 42703'],
    [
      saying('XX001', 'missing chunk number 0 for toast value 16412 in pg_toast_16409'),
      'missing chunk number 0 for toast value … in pg_toast_…, SQLSTATE XX001',
    ],
  ])('hold no value when they are to be kept: %#', (error, words) => {
    expect(safeDatabaseWords(error)).toBe(words);
  });

  it('are whole where the field may be kept', () => {
    expect(fullDatabaseWords(saying('22P02', `not "${VALUE}"`, { detail: 'more' }))).toBe(
      `not "${VALUE}" (more), SQLSTATE 22P02`,
    );
  });
});
