import { z } from 'zod';
import { indexSettingFaults } from './index-settings.ts';
import {
  COMPOSITE_KEY,
  definitionNameFault,
  fieldNameFault,
  indexNameFault,
  keyNameFault,
  parseSqlName,
} from './names.ts';
import { didYouMean } from './nearest.ts';
import { section } from './section.ts';

/**
 * The size of a batch of bulk lines, and what of it is left for a document beside its longest action line. An id, a
 * version and a version type have at most 20 characters each, and the line has 60 of its own.
 */
const BATCH_BYTES = 4 * 1024 * 1024;
const ACTION_LINE_BYTES = 256;
const DEFAULT_MAX_DOCUMENT_BYTES = BATCH_BYTES - ACTION_LINE_BYTES;

/** A text that is not blank. */
function text(message: string) {
  return z.string(message).refine((value) => value.trim() !== '', message);
}

function named(message: string, faultOf: (name: string) => string | null) {
  return z.string(message).superRefine(refusing(faultOf));
}

function refusing(faultOf: (name: string) => string | null) {
  return (name: string, context: z.RefinementCtx): void => {
    const fault = faultOf(name);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  };
}

function count(message: string) {
  return z.int(message).min(0, message);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, kB: 1e3, MB: 1e6, KiB: 1024, MiB: 1024 ** 2 };

const documentBytesMessage = `Write a size such as 1MiB, or a number of bytes: at least 1 and at most ${DEFAULT_MAX_DOCUMENT_BYTES}, because a document and its action line must fit into one batch of 4 MiB.`;
const documentBytes = z
  .union([z.number(), z.string()], documentBytesMessage)
  .transform((size) => {
    const [, number = '', unit = ''] = /^([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)$/.exec(String(size)) ?? [];
    return number === '' ? Number.NaN : Math.floor(Number(number) * (UNITS[unit] ?? Number.NaN));
  })
  .refine((bytes) => bytes >= 1 && bytes <= DEFAULT_MAX_DOCUMENT_BYTES, documentBytesMessage);

const sqlName =
  'Write the name of a table or view as in SQL, such as public.cities. For a query, create a view.';
const tableName = text(sqlName).refine((name) => name.trim() === '' || parseSqlName(name) !== null, sqlName);
const aliasName = text('Write one name for the table in expressions, such as city.').refine(
  (name) => name.trim() === '' || parseSqlName(name)?.length === 1,
  'This is not one name as in SQL, such as city or "City".',
);

const key = z
  .string({ error: ({ input }) => (Array.isArray(input) ? COMPOSITE_KEY : 'Name the key column.') })
  .superRefine(refusing(keyNameFault));

const expression = (what: string) =>
  text(`Write ${what} as SQL in a text; put numbers and constants into quotes, such as "'books'" or "1".`);

const join = section(
  {
    left: text(
      'Write what is joined, with its alias: regions AS region, or LATERAL (SELECT …) AS child.',
    ).refine(
      (left) => !/^\s*(?:(?:inner|left|right|full|cross|natural|outer)\s+)*join\b/i.test(left),
      'This always becomes a LEFT JOIN, because that keeps every row. Write only what is joined: regions AS region.',
    ),
    on: expression('the join condition (true for LATERAL aggregates)'),
  },
  'Write a join as a map with left and on. All joins are left joins, because only those keep every row.',
);

const source = section({
  table: tableName,
  as: aliasName.optional(),
  key,
  changed_at: expression('a timestamp').nullish(),
  unusable_changed_at: z
    .enum(['dead_letter', 'lowest_version'], 'Write dead_letter or lowest_version.')
    .default('dead_letter'),
  joins: z.array(join, 'Write a list of joins, each with left and on.').default([]),
  where: expression('a condition').nullish(),
  time_zone: text('Write an IANA time zone, such as Europe/Berlin.').default('UTC'),
});

const fieldMessage =
  'Write the field\'s SQL in a text (constants in quotes, such as "\'books\'" or "1"), or a map with sql and mapping.';
const fieldSql = text(fieldMessage);
const field = z.preprocess(
  (value) => (typeof value === 'string' ? { sql: value } : value),
  section(
    {
      sql: fieldSql,
      mapping: z
        .record(z.string(), z.json(), 'Write the mapping as a map, such as { type: keyword }.')
        .nullish(),
      compare: z.boolean('Write false for a field that validation is not to compare.').default(true),
    },
    fieldMessage,
  ),
);

const index = section({
  settings: z
    .record(z.string(), z.json('This is no setting of an index.'), "Write the index's settings as a map.")
    .superRefine((settings, context) => {
      for (const fault of indexSettingFaults(settings)) {
        context.addIssue({ code: 'custom', path: [...fault.path], message: fault.message });
      }
    })
    .default({}),
  number_of_replicas: count('Write the number of replicas of the finished index, 0 or more.').default(1),
  refresh_interval: z
    .string('Write a time such as 1s, or "-1" for none.')
    .regex(/^(-1|[1-9][0-9]*(ms|s|m|h|d))$/, 'Write a time such as 1s, or "-1" for none.')
    .default('1s'),
  forcemerge_segments: z
    .int('Write a number of segments, or null.')
    .min(1, 'Write 1 or more, or null.')
    .nullable()
    .default(null),
  health: z.enum(['yellow', 'green'], 'Write yellow or green.').default('green'),
});

const deadLetters = section({
  promote_limit: count('Write how many dead letters a promotion may leave behind, 0 or more.').default(0),
  stop_limit: count('Write after how many dead letters a run stops, 0 or more.').default(1000),
  keep_fields: z.array(text("Write a field's name."), "Write a list of the document's fields.").default([]),
});

const percentMessage = 'Write how many per cent of its documents the alias may lose, 0 to 100.';
const promote = section({
  shrink_limit: z
    .number(percentMessage)
    .min(0, percentMessage)
    .max(100, percentMessage)
    .nullable()
    .default(null),
});

/** A definition as written, in snake_case. `toDefinition` in load.ts gives it the shape that the code uses. */
export const definitionSchema = section({
  name: named('Write a name.', definitionNameFault).optional(),
  alias: named('Write the alias that readers query.', indexNameFault).optional(),
  source,
  document: z
    .record(z.string(), field, 'Write a map from field names to their SQL.')
    .refine((fields) => Object.keys(fields).length > 0, 'A document has at least one field besides the key.'),
  unrepresentable: z.enum(['null', 'dead_letter'], 'Write null or dead_letter.').nullish(),
  max_document_bytes: documentBytes.default(DEFAULT_MAX_DOCUMENT_BYTES),
  dead_letters: deadLetters.prefault({}),
  index: index.prefault({}),
  promote: promote.prefault({}),
  pipeline: text('Write the name of an ingest pipeline, or null for none.').nullish(),
  retain: count(
    'Write how many former indexes stay beside the one that the alias serves, 0 or more.',
  ).default(1),
}).superRefine(
  (written, context) => {
    for (const fault of crossFaults(written))
      context.addIssue({ code: 'custom', ...fault, path: [...fault.path] });
  },
  // This check runs beside other faults too, so that all are named at once.
  { when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value) },
);

export type WrittenDefinition = z.output<typeof definitionSchema>;

interface CrossFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Finds settings that contradict each other. The rest may be faulty, so nothing about its shape is certain. */
function crossFaults(written: Partial<WrittenDefinition>): CrossFault[] {
  const names =
    typeof written.document === 'object' && written.document !== null ? Object.keys(written.document) : [];
  return [
    ...names.flatMap((name) => fieldFaults(name, written.source?.key)),
    ...keepFieldFaults(written.dead_letters?.keep_fields, names),
    ...limitFaults(written.dead_letters),
  ];
}

function fieldFaults(name: string, key: unknown): CrossFault[] {
  const message =
    name === key ? 'The key is a field of every document already: leave it out here.' : fieldNameFault(name);
  return message === null ? [] : [{ path: ['document', name], message }];
}

function keepFieldFaults(keep: unknown, names: readonly string[]): CrossFault[] {
  if (!Array.isArray(keep)) return [];
  return keep.flatMap((name: unknown, i) => {
    if (typeof name !== 'string' || names.includes(name)) return [];
    return [
      {
        path: ['dead_letters', 'keep_fields', i],
        message: `The document has no field "${name}".${didYouMean(name, names)}`,
      },
    ];
  });
}

function limitFaults(limits: Partial<WrittenDefinition['dead_letters']> | undefined): CrossFault[] {
  const { promote_limit: promote, stop_limit: stop } = limits ?? {};
  if (typeof promote !== 'number' || typeof stop !== 'number' || promote <= stop) return [];
  return [
    {
      path: ['dead_letters', 'promote_limit'],
      message: `The run already stops at ${stop} (stop_limit): raise stop_limit or lower this.`,
    },
  ];
}
