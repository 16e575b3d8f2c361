import { basename } from 'node:path';
import { z } from 'zod';
import { type LoadedDefinition, parseDefinition } from '../../definition/load.ts';
import type { JournalStore } from './store.ts';
import { parseObject } from './store-failure.ts';

const SCHEMA = 1;

const definitionsSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  /** As a person wrote them. The file's name may name the definition. */
  definitions: z.array(z.strictObject({ file: z.string(), text: z.string() })).nonempty(),
});

/**
 * Keeps the definitions that a run begins with beside its journal. So a command that ends the run needs no file. The text
 * is written before the run's first event. Until then it may be replaced.
 */
export async function recordDefinitions(
  store: JournalStore,
  folder: string,
  loaded: readonly LoadedDefinition[],
): Promise<void> {
  const definitions = loaded.map(({ file, text }) => ({ file: basename(file), text }));
  const body = JSON.stringify({ schema: SCHEMA, definitions });
  const name = nameIn(folder);
  if ((await store.create(name, body)) === 'exists') await store.replace(name, body);
}

/** The definitions that a run began with. Empty when an earlier version began it. */
export async function recordedDefinitions(
  store: JournalStore,
  folder: string,
): Promise<readonly LoadedDefinition[]> {
  const name = nameIn(folder);
  const body = await store.read(name);
  if (body === null) return [];
  const object = { location: store.location, name, kind: 'list of definitions', newest: SCHEMA };
  const { definitions } = parseObject(definitionsSchema, object, body);
  return definitions.map(({ file, text }) => parseDefinition(text, file));
}

export async function removeDefinitions(store: JournalStore, folder: string): Promise<void> {
  await store.remove(nameIn(folder));
}

function nameIn(folder: string): string {
  return `${folder}/definitions.json`;
}
