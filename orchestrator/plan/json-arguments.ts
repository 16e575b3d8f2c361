import { withoutTexts } from './sql-texts.ts';

/**
 * What SQL puts into JSON. The SQL is what EXPLAIN (VERBOSE) writes, where each column has the name of its relation. Pure.
 */

/** Functions that write values as JSON, with those of the SQL standard, and composite values, which become JSON later. */
const JSON_CALLS =
  /(?<![\w$."])(?:jsonb?_(?:build_object|build_array|agg|agg_strict|object_agg|object_agg_strict|object_agg_unique|object_agg_unique_strict|objectagg|arrayagg)|json_(?:object|array|scalar)|to_jsonb?|row_to_json|array_to_json|array_agg|row)\s*\(/gi;

/** What makes something else of a time: a text, a number, a date, or a time with a zone. */
function conversionsOf(column: string): string[] {
  return [
    `${column} AT TIME ZONE\\b`,
    `\\btimezone\\('[^']*'(?:::text)?, ${column}`,
    `\\bto_char\\(${column}`,
    `\\bEXTRACT\\(\\w+ FROM ${column}`,
    `\\bdate_part\\('[^']*'(?:::text)?, ${column}`,
    `${column}\\)::(?:date|text)\\b`,
  ];
}

/** A column as expressions name it. */
export interface NamedColumn {
  readonly alias: string;
  readonly name: string;
}

/**
 * Those of the columns that an expression puts into JSON as they are, alone or in a whole row.
 *
 * @param bareNames whether the expression has column names alone, as EXPLAIN writes them where there is one relation
 */
export function columnsInJson(
  expression: string,
  columns: readonly NamedColumn[],
  bareNames: boolean,
): NamedColumn[] {
  const inside = argumentsOf(withoutTexts(expression)).join('\n');
  if (inside === '') return [];
  return columns.filter(({ alias, name }) => {
    const column = `(?:${written(alias)}\\.)${bareNames ? '?' : ''}${written(name)}`;
    const bare = inside.replaceAll(new RegExp(conversionsOf(column).join('|'), 'g'), ' ');
    return new RegExp(`(?<![\\w$."])(?:${column}|${written(alias)}\\.\\*)(?![\\w$"])`).test(bare);
  });
}

/** The texts between the parentheses of all calls that write JSON. */
function argumentsOf(sql: string): string[] {
  return [...sql.matchAll(JSON_CALLS)].map((match) => {
    const from = match.index + match[0].length;
    let depth = 1;
    let at = from;
    while (at < sql.length && depth > 0) {
      if (sql[at] === '(') depth += 1;
      else if (sql[at] === ')') depth -= 1;
      at += 1;
    }
    return sql.slice(from, at);
  });
}

/** PostgreSQL puts a name into quotes where it needs them, and where it is a word of SQL. */
function written(name: string): string {
  return `"?${RegExp.escape(name.replaceAll('"', '""'))}"?`;
}
