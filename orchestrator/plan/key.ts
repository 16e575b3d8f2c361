import { KEY_COLUMN_TYPES, keyKindOf, keyKindOfColumn, NEW_KEY_COLUMN } from '../../definition/key/kinds.ts';
import { quoteIdentifier } from '../../definition/sql.ts';
import { didYouMean } from '../../definition/nearest.ts';
import type { Inspection } from './inspection.ts';
import type { BaseTable } from './table.ts';

const PATH = ['source', 'key'];

interface KeyColumn {
  readonly name: string;
  readonly type: string;
  readonly baseType: string;
  readonly notNull: boolean;
}

/**
 * Checks the key column in the catalogue. It must exist, be of the definition's kind of keys, be not null, and be
 * unique by an index of its own. A view has neither constraints nor indexes; `rows.ts` looks at its rows.
 */
export async function inspectKey(inspection: Inspection, table: BaseTable): Promise<void> {
  const { definition } = inspection;
  const { key } = definition.source;
  const { rows: columns } = await inspection.client.query<KeyColumn>(COLUMNS, [table.oid]);
  const column = columns.find(({ name }) => name === key);
  if (column === undefined) {
    const names = columns.map(({ name }) => name);
    inspection.fault(
      PATH,
      `${table.name} has no column "${key}".${didYouMean(key, names) || ` It has: ${names.join(', ')}.`}`,
    );
    return;
  }
  if (keyKindOfColumn(column.baseType) !== keyKindOf(definition)) {
    inspection.fault(PATH, `The column "${key}" is of type ${column.type}. ${otherKey(table, columns)}`);
    return;
  }
  if (table.kind === 'view') return;
  if (!column.notNull && table.kind !== 'materialized view') {
    inspection.fault(
      PATH,
      `The column "${key}" is nullable, but a row without a key would be lost: ALTER TABLE ${table.name} ALTER COLUMN ${quoteIdentifier(key)} SET NOT NULL.`,
    );
  }
  await inspectUniqueness(inspection, table);
}

const COLUMNS = `
  SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS "notNull",
    format_type(CASE WHEN typtype = 'd' THEN typbasetype ELSE t.oid END, NULL) AS "baseType"
  FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_type t ON t.oid = atttypid
  WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  ORDER BY attnum`;

function otherKey(table: BaseTable, columns: readonly KeyColumn[]): string {
  const usable = columns
    .filter(({ baseType, notNull }) => notNull && KEY_COLUMN_TYPES.includes(baseType))
    .map(({ name }) => name);
  const instead = usable.length > 0 ? ` The table has these: ${usable.join(', ')}.` : '';
  const types = `${KEY_COLUMN_TYPES.slice(0, -1).join(', ')} or ${KEY_COLUMN_TYPES.at(-1)}`;
  return `The key must be ${types}; text, uuid, numeric and composite keys are not supported.${instead} If there is no such column, add one: ALTER TABLE ${table.name} ADD COLUMN … ${NEW_KEY_COLUMN}.`;
}

interface Storage {
  readonly name: string;
  /** True when it holds rows itself, unlike a partitioned table. */
  readonly leaf: boolean;
  readonly root: boolean;
  /** True when there is a usable unique index on exactly the key. */
  readonly unique: boolean;
  /** The unique indexes on exactly the key that cannot be used, each with the reason. */
  readonly unusable: readonly string[];
}

async function inspectUniqueness(inspection: Inspection, table: BaseTable): Promise<void> {
  const { client, definition } = inspection;
  const { rows } = await client.query<Storage>(STORAGE, [table.oid, definition.source.key]);
  const root = rows.find((storage) => storage.root);
  if (root?.unique === true && (table.kind === 'partitioned' || rows.length === 1)) return;
  const lacking = rows.filter((storage) => storage.leaf && !storage.unique);
  if (lacking.length === 0) return;
  const unusable = lacking.flatMap((storage) => storage.unusable).slice(0, 3);
  const reason = unusable.length > 0 ? ` (${unusable.join('; ')})` : '';
  const names = lacking
    .slice(0, 3)
    .map(({ name }) => name)
    .join(', ');
  const more = lacking.length > 3 ? ` and ${lacking.length - 3} more` : '';
  inspection.fault(
    PATH,
    `Nothing makes the key unique: ${names}${more} has no usable unique index on exactly "${definition.source.key}"${reason}. ` +
      `CREATE UNIQUE INDEX CONCURRENTLY ON ${lacking[0]?.name ?? table.name} (${quoteIdentifier(definition.source.key)}), or name a key that is unique.`,
  );
}

/** The table with its partitions or its children by inheritance, and the unique indexes of each on exactly the key. */
const STORAGE = `
  WITH RECURSIVE tree (oid) AS (
    SELECT $1::oid UNION SELECT inhrelid FROM pg_catalog.pg_inherits JOIN tree ON inhparent = tree.oid
  )
  SELECT c.oid::regclass::text AS name, c.relkind <> 'p' AS leaf, c.oid = $1::oid AS root,
    coalesce(bool_or(i.usable), false) AS unique,
    coalesce(array_agg(i.why) FILTER (WHERE i.why <> ''), '{}') AS unusable
  FROM tree JOIN pg_catalog.pg_class c USING (oid)
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = $2 AND NOT a.attisdropped
  LEFT JOIN LATERAL (
    SELECT indisvalid AND indimmediate AND indpred IS NULL AS usable,
      concat_ws(' and ', CASE WHEN NOT indisvalid THEN indexrelid::regclass || ' is not valid: REINDEX it' END,
        CASE WHEN NOT indimmediate THEN indexrelid::regclass || ' is deferrable' END,
        CASE WHEN indpred IS NOT NULL THEN indexrelid::regclass || ' is partial' END) AS why
    FROM pg_catalog.pg_index
    WHERE indrelid = c.oid AND indisunique AND indnkeyatts = 1 AND indkey[0] = a.attnum
  ) i ON true
  GROUP BY c.oid, c.relkind
  ORDER BY name`;
