import { buildDigest } from '../../definition/build.ts';
import { digestDefinition } from '../../definition/digest.ts';
import { Faults } from '../../definition/faults.ts';
import { type LoadedDefinition, loadDefinitionsWithPositions } from '../../definition/load.ts';
import { systemClock } from '../clock.ts';
import { certainStore } from '../journal/certain-store.ts';
import { openFileStore } from '../journal/file-store.ts';
import type { JournalStore } from '../journal/store.ts';
import type { Environment, Settings } from '../settings.ts';
import { journalFolder } from './journal-folder.ts';

/** What a command knows of its fleet without any network and without definitions: settings and the journal. */
export interface OfflineFleet {
  readonly settings: Settings;
  readonly store: JournalStore;
  readonly environment: Environment;
}

/** What a command knows without any network: also its definition. */
export interface Offline extends OfflineFleet {
  readonly loaded: LoadedDefinition;
  readonly definitionDigest: string;
  readonly build: string;
}

export function openOfflineFleet(settings: Settings, environment: Environment): OfflineFleet {
  const store = certainStore(openFileStore(journalFolder(settings, environment)), systemClock);
  return { settings, store, environment };
}

/** Reads everything that can be read offline. Throws `Faults` (exit 2) with everything that is wrong. */
export async function openOffline(settings: Settings, environment: Environment): Promise<Offline> {
  const definitions = await loadDefinitionsWithPositions(settings.definitions);
  const loaded = pickDefinition(definitions, settings);
  return {
    ...openOfflineFleet(settings, environment),
    loaded,
    definitionDigest: digestDefinition(loaded.definition),
    build: await buildDigest(definitions.map(({ definition }) => definition)),
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
      ? `Say which of the definitions to run (${names.join(', ')}): definition: … here, or --definition. A run rebuilds one index.`
      : `There is no definition "${settings.definition}" in ${settings.definitions}; there are ${names.join(', ')}.`;
  throw new Faults([{ file: settings.file, line: null, column: null, path: 'definition', message }]);
}
