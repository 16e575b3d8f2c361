import type { ClientBase } from 'pg';
import { expect } from 'vitest';
import { formatFault } from '../../definition/faults.ts';
import { parseDefinition } from '../../definition/load.ts';
import { inspectDefinition } from '../../orchestrator/plan/inspect.ts';

/** Tables to inspect definitions against. */
export const CITIES_SCHEMA = `
  CREATE TABLE regions (country text, code text, name text, PRIMARY KEY (country, code));
  CREATE TABLE cities (id bigint PRIMARY KEY, name text NOT NULL, country text, region text, population int,
    updated_at timestamptz NOT NULL DEFAULT now(), local_time timestamp, tags text[]);
  INSERT INTO regions SELECT 'FR', n::text, 'region ' || n FROM generate_series(1, 20) n;
  INSERT INTO cities (id, name, country, region, population)
    SELECT n, 'city ' || n, 'FR', (n % 25)::text, n FROM generate_series(1, 2000) n;
  CREATE TABLE reviews (city bigint, stars int);
  CREATE INDEX ON reviews (city);
  INSERT INTO reviews SELECT 1501 + n % 3, n FROM generate_series(1, 30) n;
`;

/** The base table of `CITIES_SCHEMA` in a definition's source. */
export const CITIES = 'table: cities, as: city, key: id';

/** The YAML of a definition in `test.yaml`: its source on the first line, its document on the second. */
export function definitionText(source: string, document = '{ name: city.name }'): string {
  return `source: { ${source} }\ndocument: ${document}\n`;
}

/** The faults of a definition that a database shows. */
export async function databaseFaults(client: ClientBase, text: string): Promise<string[]> {
  const { described, faults } = await inspectDefinition(client, parseDefinition(text, 'test.yaml'));
  expect(described === null).toBe(faults.length > 0);
  return faults.map(formatFault);
}
