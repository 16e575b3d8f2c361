import { buildDigest } from '../../definition/build.ts';
import { digestDefinition } from '../../definition/digest.ts';
import { Faults } from '../../definition/faults.ts';
import { type LoadedDefinition, loadDefinitionsWithPositions } from '../../definition/load.ts';
import type { JournalStore } from '../journal/store.ts';
import type { Environment, Settings } from '../settings.ts';
import { openJournal } from './open-journal.ts';

/** What a command knows of its fleet without network and definitions: settings and the journal. */
export interface OfflineFleet {
  readonly settings: Settings;
  readonly store: JournalStore;
  readonly environment: Environment;
}

/** What a command knows without network: also its definition. */
export interface Offline extends OfflineFleet {
  readonly loaded: LoadedDefinition;
  readonly definitionDigest: string;
  readonly build: string;
  /** Checks that the journal gives a run everything that it needs. Throws RunFailed that names every fault. */
  readonly checkJournal: () => Promise<void>;
}

export function openOfflineFleet(settings: Settings, environment: Environment): OfflineFleet {
  return { settings, store: openJournal(settings, environment).store, environment };
}

/** Reads everything that can be read offline. Throws `Faults` (exit 2) that names everything wrong. */
export async function openOffline(settings: Settings, environment: Environment): Promise<Offline> {
  const definitions = await loadDefinitionsWithPositions(settings.definitions);
  const loaded = pickDefinition(definitions, settings);
  const journal = openJournal(settings, environment);
  return {
    settings,
    environment,
    loaded,
    definitionDigest: digestDefinition(loaded.definition),
    build: await buildDigest(definitions.map(({ definition }) => definition)),
    store: journal.store,
    checkJournal: () => journal.check(),
  };
}

function pickDefinition(definitions: readonly LoadedDefinition[], settings: Settings): LoadedDefinition {
  const names = definitions.map(({ definition }) => definition.name);
  const [only, ...others] = definitions;
  const picked =
    settings.definition === null && others.length === 0
      ? only
      : definitions.find(({ definition }) => definition.name === settings.definition);
  if (picked !== undefined) return picked;
  const message =
    settings.definition === null
      ? `Say which of the definitions to run (${names.join(', ')}): write definition: … here, or give --definition. A run rebuilds one index.`
      : `There is no definition "${settings.definition}" in ${settings.definitions}; there are ${names.join(', ')}.`;
  throw new Faults([{ file: settings.file, line: null, column: null, path: 'definition', message }]);
}
