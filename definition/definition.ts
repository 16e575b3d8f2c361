/**
 * An index definition: what one search index holds. It is read from its YAML file and checked for form. Every other
 * room uses definitions in this shape. `schema.ts` makes it, and `sql.ts` turns it into SQL.
 */
export interface IndexDefinition {
  /** The definition's name in a worker; `[a-z0-9][a-z0-9_-]*`. */
  readonly name: string;
  /** The name that readers query. Indexes are named `<alias>-<run id>`. */
  readonly alias: string;
  readonly source: SourceDefinition;
  /** The fields, and how their values are made. Every document also has the key as a field. */
  readonly document: readonly FieldDefinition[];
  /** What happens to NaN, infinities, and dates BC or after 9999, which JSON numbers and dates cannot express. */
  readonly unrepresentable: 'null' | 'dead_letter';
  /** A document above this many bytes becomes a dead letter unread. */
  readonly maxDocumentBytes: number;
  readonly deadLetters: DeadLetterPolicy;
  readonly index: IndexSettings;
  readonly promote: PromotionPolicy;
  /** The ingest pipeline that the cluster runs over each document. Null: none, not even the index's default. */
  readonly pipeline: string | null;
  /** How many earlier promoted indexes stay beside the one that the alias serves. */
  readonly retain: number;
}

export interface SourceDefinition {
  /** The base table as written in SQL, with its schema where needed. Each of its rows is one document. */
  readonly table: string;
  /** The name of the base table in expressions, as written in SQL: in quotes where it needs them. */
  readonly as: string;
  /**
   * The key: a column of the base table that a kind of keys reads (see `key/`). It is unique, not null and indexed. It
   * also names the key's field.
   */
  readonly key: string;
  /** An SQL expression of type timestamp or timestamptz: when the row last changed. Null when not known. */
  readonly changedAt: string | null;
  /**
   * What becomes of a row whose `changedAt` cannot be a version, because it is null, infinite or before 1970: a dead
   * letter, or a document with the lowest version, 0.
   */
  readonly unusableChangedAt: UnusableChangedAt;
  /** Joins that keep every row. Each becomes `LEFT JOIN <table> ON (<on>)`. */
  readonly joins: readonly JoinDefinition[];
  /** An SQL condition. Rows for which it is false or null count as filtered, and nothing else of them is evaluated. */
  readonly where: string | null;
  /** The zone of `timestamp` values (without zone); an IANA name. */
  readonly timeZone: string;
}

export type UnusableChangedAt = 'dead_letter' | 'lowest_version';

export interface JoinDefinition {
  /** What is joined, with its alias: `regions AS region` or `LATERAL (SELECT …) AS child`. */
  readonly left: string;
  /** The join condition in SQL. It is `true` for LATERAL aggregates. */
  readonly on: string;
}

export interface FieldDefinition {
  readonly name: string;
  readonly sql: string;
  /** The field's mapping in the index. Null: it is chosen by the SQL type (see `field-types.ts`). */
  readonly mapping: Readonly<Record<string, unknown>> | null;
  /** Only where the field says another value at each reading on purpose: validation does not compare it. */
  readonly compare?: false;
}

export interface DeadLetterPolicy {
  /** With more dead letters than this, the alias does not move. */
  readonly promoteLimit: number;
  /** With more dead letters than this, the run stops. */
  readonly stopLimit: number;
  /** The document fields that a dead letter may keep beside the key and the reason. */
  readonly keepFields: readonly string[];
}

export interface PromotionPolicy {
  /** How many per cent of the served documents a promotion may lose. Null: `promote.shrink_limit` of the settings. */
  readonly shrinkLimit: number | null;
}

export interface IndexSettings {
  /** The given `settings` of the index, without those that a build sets itself (replicas, refresh interval). */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly numberOfReplicas: number;
  /** As the cluster writes it, e.g. `1s`. */
  readonly refreshInterval: string;
  /** Merge to this many segments when the index is complete. Null: the cluster decides. */
  readonly forcemergeSegments: number | null;
  /** The health that the index must reach before promotion. */
  readonly health: 'yellow' | 'green';
}

/** A column of the result as PostgreSQL described it. `oid` is the type of the bare expression. */
export interface DescribedField {
  readonly name: string;
  readonly oid: number;
  /** Only for types without a native encoder, of which `to_jsonb` makes a JSON string (enums, inet, interval, …). */
  readonly jsonString?: true;
}

/** A definition with its columns' types in one database. Its digest goes with every task. */
export interface DescribedDefinition {
  readonly definition: IndexDefinition;
  readonly fields: readonly DescribedField[];
  /** The type of `changedAt`, timestamptz or timestamp. Null without `changedAt`. */
  readonly changedAtOid: number | null;
}
