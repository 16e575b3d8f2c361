import { Client } from 'pg';
import { parseLexemes } from './lexemes.ts';

export type Documents = Readonly<Record<string, unknown>>;

/** The documents that the index must hold, read from the table: rows of `id` and `document`, a json of all fields. */
export async function documentsInTable(databaseUrl: string, query: string): Promise<Documents> {
  const rows = await sql<{ id: string; document: string }>(databaseUrl, query);
  return Object.fromEntries(rows.map(({ id, document }) => [id, parseLexemes(document)]));
}

/** Runs statements on a connection of their own. Returns the rows of the last one. */
export async function sql<Row>(databaseUrl: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const result: unknown = await client.query(text);
    const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: Row[] };
    return last.rows;
  } finally {
    await client.end();
  }
}
