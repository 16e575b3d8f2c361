const TEXTS = /\bE'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'/gis;

/** SQL with its text constants empty, so that a search of the rest finds nothing in them. */
export function withoutTexts(sql: string): string {
  return sql.replaceAll(TEXTS, "''");
}
