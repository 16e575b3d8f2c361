import { z } from 'zod';
import type { Docstrings } from './docstrings.ts';

/** One setting, or one section. */
export interface SettingRow {
  /** Dotted. */
  readonly key: string;
  readonly description: string;
  /** As JSON. Null: there is none, the setting must be written. */
  readonly fallback: string | null;
  readonly bounds: string;
  /** The settings of a section follow it, each with its own default. */
  readonly isSection: boolean;
}

/** By name, as a section has them. */
export type Shape = Readonly<Record<string, z.core.$ZodType>>;

/** A row for each setting of a shape, and for each section that has a docstring or may be null. */
export function rowsOf(shape: Shape, docstrings: Docstrings, above = ''): SettingRow[] {
  return Object.entries(shape).flatMap(([name, schema]) => {
    const key = `${above}${name}`;
    const inner = unwrapped(schema);
    const row = {
      key,
      description: docstrings.get(key) ?? '',
      fallback: defaultOf(schema),
      bounds: boundsOf(inner),
      isSection: inner instanceof z.ZodObject,
    };
    if (!(inner instanceof z.ZodObject)) return [row];
    const settings = rowsOf(inner.shape, docstrings, `${key}.`);
    return row.description === '' && row.fallback !== 'null' ? settings : [row, ...settings];
  });
}

/** The schema inside its defaults, and a section inside what is made of it. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const wraps =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodOptional;
  if (wraps) return unwrapped(schema.def.innerType);
  const made = schema instanceof z.ZodPipe ? unwrapped(schema.def.in) : null;
  return made instanceof z.ZodObject ? made : schema;
}

function defaultOf(schema: z.core.$ZodType): string | null {
  if (schema instanceof z.ZodPrefault) return JSON.stringify(schema.def.defaultValue);
  const { success, data } = z.safeParse(schema, undefined);
  return success && data !== undefined ? JSON.stringify(data) : null;
}

/** Values that a setting hardly takes. What the schema says of them is what the setting may be. */
const PROBES: readonly unknown[] = [
  '?',
  '!',
  -1,
  1e15,
  [],
  ['?'],
  ['8.8.8.0/24'],
  { '? ': '?' },
  { a: '\n' },
];
const ANY_TEXT = ['A text.', 'Not empty.'];

function boundsOf(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodObject) return 'A map of the settings below.';
  const sentences = new Set(
    PROBES.flatMap((probe) => z.safeParse(schema, probe).error?.issues ?? []).map(({ message }) =>
      asKind(message),
    ),
  );
  const narrower = [...sentences].filter((sentence) => !ANY_TEXT.includes(sentence));
  return (narrower.length === 0 ? [...sentences] : narrower).join(' ');
}

/** A fault's sentence as one of what the setting is. */
function asKind(message: string): string {
  if (message.startsWith('Invalid input: expected record')) return 'A map.';
  return message.replace(/^(This is no|Write a) /, 'A ');
}
