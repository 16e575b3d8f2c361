/**
 * An index definition: what one search index holds, as read from its YAML file and checked for form.
 * Every other room speaks of definitions in this shape; `schema.ts` makes it, `sql.ts` turns it into SQL.
 */
export interface IndexDefinition {
  /** The definition's name on board of a worker; `[a-z0-9][a-z0-9_-]*`. */
  readonly name: string;
  /** What readers query. Concrete indexes are named `<alias>-<run id>`. */
  readonly alias: string;
  readonly source: SourceDefinition;
  /** Field name -> how its value is made. The key is a field of every document besides these. */
  readonly document: readonly FieldDefinition[];
  /** What becomes of NaN, infinities, and dates BC or after 9999, which JSON dates and numbers cannot say. */
  readonly unrepresentable: 'null' | 'dead_letter';
  /** A document over this many bytes is dead-lettered unread. */
  readonly maxDocumentBytes: number;
  readonly deadLetters: DeadLetterPolicy;
  readonly index: IndexSettings;
  /** Ingest pipeline that the cluster runs over each document; null: none, not even the index's default. */
  readonly pipeline: string | null;
  /** How many formerly promoted indexes stay beside the one that the alias serves. */
  readonly retain: number;
}

export interface SourceDefinition {
  /** The base table, as written in SQL, schema-qualified where needed. Each of its rows is one document. */
  readonly table: string;
  /** The name by which expressions speak of the base table, as written in SQL: in quotes where it needs them. */
  readonly as: string;
  /** A column of the base table that a kind of keys reads (see `key/`): unique, not null, indexed. Also the field's name. */
  readonly key: string;
  /** SQL expression of type timestamp or timestamptz: when the row last changed. Null: not known. */
  readonly changedAt: string | null;
  /** Joins that keep every row: only `LEFT JOIN <table> ON (<on>)` is made of them. */
  readonly joins: readonly JoinDefinition[];
  /** SQL condition; rows for which it is false or null are counted as filtered and never evaluated further. */
  readonly where: string | null;
  /** The zone in which `timestamp` values (without zone) are read; an IANA name. */
  readonly timeZone: string;
}

export interface JoinDefinition {
  /** What is joined, with its alias: `regions AS region` or `LATERAL (SELECT …) AS child`. */
  readonly left: string;
  /** The join condition in SQL; `true` for LATERAL aggregates. */
  readonly on: string;
}

export interface FieldDefinition {
  readonly name: string;
  readonly sql: string;
  /** The field's mapping in the index; null: chosen from the SQL type (see `field-types.ts`). */
  readonly mapping: Readonly<Record<string, unknown>> | null;
}

export interface DeadLetterPolicy {
  /** More dead letters than this and the alias does not move. */
  readonly promoteLimit: number;
  /** More dead letters than this and the run stops. */
  readonly stopLimit: number;
  /** Names of document fields that may be kept in a dead letter beside the key and the reason. */
  readonly keepFields: readonly string[];
}

export interface IndexSettings {
  /** `settings` of the index as given, without those that a build sets itself (replicas, refresh interval). */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly numberOfReplicas: number;
  /** As the cluster writes it, e.g. `1s`. */
  readonly refreshInterval: string;
  /** Merge to this many segments when the index is complete; null: leave it to the cluster. */
  readonly forcemergeSegments: number | null;
  /** The health that must be reached before promotion. */
  readonly health: 'yellow' | 'green';
}

/** A column of the result as PostgreSQL described it. `oid` is of the type of the bare expression. */
export interface DescribedField {
  readonly name: string;
  readonly oid: number;
  /** Only for types without a native encoder: `to_jsonb` makes a JSON string of it (enums, inet, interval, …). */
  readonly jsonString?: true;
}

/** What a definition is against one database: its columns' types. Its digest goes with every task. */
export interface DescribedDefinition {
  readonly definition: IndexDefinition;
  readonly fields: readonly DescribedField[];
  /** The type of `changedAt`, timestamptz or timestamp; null without one. */
  readonly changedAtOid: number | null;
}
