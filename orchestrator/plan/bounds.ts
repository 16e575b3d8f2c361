import type { ClientBase } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { baseFrom, qualifiedKey } from '../../definition/sql.ts';

export const MAX_KEY = 2n ** 63n - 1n;

/** The least and the greatest key that there is. */
export interface KeyBounds {
  readonly min: bigint;
  readonly max: bigint;
}

/** Reads both ends of the key's index; null for an empty table. */
export async function keyBounds(client: ClientBase, definition: IndexDefinition): Promise<KeyBounds | null> {
  const min = await endOf(client, definition, 'ASC');
  const max = await endOf(client, definition, 'DESC');
  return min === null || max === null ? null : { min, max };
}

async function endOf(
  client: ClientBase,
  definition: IndexDefinition,
  direction: 'ASC' | 'DESC',
): Promise<bigint | null> {
  const key = qualifiedKey(definition);
  const { rows } = await client.query<{ key: string }>(
    `SELECT ${key}::text AS key ${baseOnly(definition)} WHERE ${key} IS NOT NULL ORDER BY ${key} ${direction} LIMIT 1`,
  );
  return rows[0] === undefined ? null : BigInt(rows[0].key);
}

/** `FROM` the base table alone. */
export function baseOnly(definition: IndexDefinition): string {
  return baseFrom(withJoins(definition, []));
}

export function withJoins(
  definition: IndexDefinition,
  joins: IndexDefinition['source']['joins'],
): IndexDefinition {
  return { ...definition, source: { ...definition.source, joins } };
}
