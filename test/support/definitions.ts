import type { IndexDefinition, SourceDefinition } from '../../definition/definition.ts';

/** The parts of a definition that a test sets. The rest has simple defaults. */
export interface DefinitionSketch
  extends Partial<Omit<IndexDefinition, 'source' | 'document' | 'deadLetters'>> {
  readonly source: Partial<SourceDefinition> & Pick<SourceDefinition, 'table'>;
  /** Field name -> SQL. */
  readonly document: Readonly<Record<string, string>>;
  readonly keepFields?: readonly string[];
}

/** A definition over the key `id` of `source.table`, which expressions call `row`. */
export function sketchDefinition(sketch: DefinitionSketch): IndexDefinition {
  const { source, document, keepFields, ...rest } = sketch;
  return {
    name: 'sketch',
    alias: 'sketch',
    source: {
      as: 'row',
      key: 'id',
      changedAt: null,
      unusableChangedAt: 'dead_letter',
      joins: [],
      where: null,
      timeZone: 'UTC',
      ...source,
    },
    document: Object.entries(document).map(([name, sql]) => ({ name, sql, mapping: null })),
    unrepresentable: 'null',
    maxDocumentBytes: 1024 * 1024,
    deadLetters: { promoteLimit: 0, stopLimit: 1000, keepFields: keepFields ?? [] },
    index: {
      settings: {},
      numberOfReplicas: 0,
      refreshInterval: '1s',
      forcemergeSegments: null,
      health: 'green',
    },
    promote: { shrinkLimit: null },
    pipeline: null,
    retain: 1,
    ...rest,
  };
}
