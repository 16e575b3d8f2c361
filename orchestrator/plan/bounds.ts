import type { ClientBase } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { type Key, keyFrom } from '../../definition/key/key-kind.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { baseFrom, qualifiedKey } from '../../definition/sql.ts';

/** The least and the greatest key of a table. */
export interface KeyBounds {
  readonly min: Key;
  readonly max: Key;
}

/** Reads both ends of the key's index. Null for an empty table. */
export async function keyBounds(client: ClientBase, definition: IndexDefinition): Promise<KeyBounds | null> {
  const min = await endOf(client, definition, 'ASC');
  const max = await endOf(client, definition, 'DESC');
  return min === null || max === null ? null : { min, max };
}

async function endOf(
  client: ClientBase,
  definition: IndexDefinition,
  direction: 'ASC' | 'DESC',
): Promise<Key | null> {
  const key = qualifiedKey(definition);
  const { rows } = await client.query<{ key: string }>(
    `SELECT ${key}::text AS key ${baseOnly(definition)} WHERE ${key} IS NOT NULL ORDER BY ${key} ${direction} LIMIT 1`,
  );
  return rows[0] === undefined ? null : keyFrom(keyKindOf(definition), rows[0].key);
}

/** `FROM` with the base table alone. */
export function baseOnly(definition: IndexDefinition): string {
  return baseFrom(withJoins(definition, []));
}

export function withJoins(
  definition: IndexDefinition,
  joins: IndexDefinition['source']['joins'],
): IndexDefinition {
  return { ...definition, source: { ...definition.source, joins } };
}
