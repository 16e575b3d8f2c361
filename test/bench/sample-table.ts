import type { Client } from 'pg';

/** Name and SQL of each column, made from the row's number `i`: 20 with the key, of mixed types, about 1.5 KB a row. */
const COLUMNS: Readonly<Record<string, string>> = {
  id: 'i::bigint',
  sku: `'SKU-' || lpad(i::text, 10, '0')`,
  name: `initcap(substr(md5(i::text), 1, 8)) || ' "quoted" name ' || i`,
  summary: `repeat(md5((i * 7)::text) || ' ', 12)`,
  description: `repeat(md5((i * 3)::text) || E' line\\n', 19)`,
  category: '(i % 50)::smallint',
  vendor: '(i * 37 % 1000000)::integer',
  views: '(i * 97)::bigint',
  rating: '(i % 5) * 0.5::float8 + 1',
  latitude: 'round((i * 7919 % 180000000)::numeric / 1000000 - 90, 6)::float8',
  longitude: 'ln(i) * 10',
  price: '(i % 100000)::numeric(12, 2) / 100',
  active: 'i % 3 = 0',
  uid: 'md5(i::text)::uuid',
  released: `date '2020-01-01' + (i % 1500)::int`,
  updated_at: `timestamptz '2024-01-01' + i * interval '1.234567 second'`,
  created: `timestamp '2024-01-01' + i * interval '2 second'`,
  attributes: `jsonb_build_object('color', 'red', 'weight', i % 100, 'dims', jsonb_build_array(i % 7, i % 11, i % 13))`,
  tags: `ARRAY['tag' || i % 10, 'tag' || i % 17, 'tag' || i % 23]`,
  score: 'sqrt(i)::real',
};

/** The columns whose type a reader must know to write them as this project does; the others' types do not matter. */
const TIMES: Readonly<Record<string, 'timestamp' | 'timestamptz'>> = {
  updated_at: 'timestamptz',
  created: 'timestamp',
};

export const COLUMN_NAMES: readonly string[] = Object.keys(COLUMNS);
export const COLUMN_COUNT = COLUMN_NAMES.length;

/** Which kind of timestamp a column is; null for any other type. */
export function timeTypeOf(column: string): 'timestamp' | 'timestamptz' | null {
  return TIMES[column] ?? null;
}

/** The rows with keys from `first` up to but not including `end`. */
export interface Rows {
  readonly first: number;
  readonly end: number;
}

/** All rows of a table of so many; the keys count from 1. */
export function allRows(count: number): Rows {
  return { first: 1, end: count + 1 };
}

/** The definition over the sample table, as its YAML file holds it. */
export function sampleDefinition(table: string): string {
  const fields = COLUMN_NAMES.filter((name) => name !== 'id');
  const lines = fields.map((name) => `  ${name}: ${table}.${name}`);
  return [`name: bench`, `source: { table: ${table}, key: id }`, 'document:', ...lines, ''].join('\n');
}

/** Makes the table unless an earlier run left it, and gives its name. */
export async function sampleTable(client: Client, rows: number): Promise<string> {
  const table = `sample_${rows}`;
  const { rows: found } = await client.query(`SELECT to_regclass('${table}') AS oid`);
  if (found[0]?.oid !== null) return table;
  const columns = Object.entries(COLUMNS).map(([name, sql]) => `${sql} AS ${name}`);
  await client.query(`BEGIN`);
  await client.query(
    `CREATE TABLE ${table} AS SELECT ${columns.join(', ')} FROM generate_series(1, ${rows}::bigint) AS i`,
  );
  await client.query(`ALTER TABLE ${table} ADD PRIMARY KEY (id)`);
  await client.query(`COMMIT`);
  await client.query(`VACUUM ANALYZE ${table}`);
  return table;
}
