import { programDigest } from '../../definition/build.ts';
import { digestDefinition } from '../../definition/digest.ts';
import { Faults } from '../../definition/faults.ts';
import type { LoadedDefinition } from '../../definition/load.ts';
import { type Claim, newestOfKey } from '../journal/claims.ts';
import { recordedDefinitions } from '../journal/run-definitions.ts';
import { readRun } from '../journal/run-journal.ts';
import type { Reporter } from '../report/reporter.ts';
import type { Environment, Settings } from '../settings.ts';
import { sameDigests, unfinishedClaim } from './choose-run.ts';
import { type Offline, openOffline } from './offline.ts';
import { openJournal } from './open-journal.ts';

export interface RecordedOptions {
  readonly settings: Settings;
  readonly environment: Environment;
  /** Null: the run that holds the fleet. */
  readonly runKey: string | null;
  readonly reporter: Pick<Reporter, 'warning'>;
}

/**
 * Reads what can be read offline, for a command that ends a run which has read everything. The run's definition is the
 * one in its file, if that is what the run began with. Otherwise it is the one that the run recorded: the file may be
 * broken, missing, changed, or one of several.
 *
 * @throws Faults of the file when the run recorded no definition
 */
export async function openRecorded(options: RecordedOptions): Promise<Offline> {
  const { settings, environment, runKey, reporter } = options;
  const read = await openOffline(settings, environment).catch((error: unknown) => {
    if (error instanceof Faults) return error;
    throw error;
  });
  const journal = openJournal(settings, environment);
  const { store } = journal;
  const claim = runKey === null ? await unfinishedClaim(store) : await newestOfKey(store, runKey);
  const isFault = read instanceof Faults;
  if (claim === null || (!isFault && sameDigests(claim, [read.definitionDigest]))) return orThrow(read);
  const [loaded, ...others] = await recordedDefinitions(store, claim.folder);
  if (loaded === undefined || others.length > 0 || !isOf(claim, loaded)) return orThrow(read);
  const { identity } = (await readRun(store, claim.folder)).state;
  if (identity === null) return orThrow(read);
  const why = isFault ? read.message : `the definition has changed since run ${claim.runKey} began`;
  reporter.warning(`${why}\nThis command takes the definition that run ${claim.runKey} recorded.`);
  return {
    settings,
    environment,
    loaded,
    definitionDigest: digestDefinition(loaded.definition),
    // The program must still be the one that began the run. Of the definitions the recorded one counts.
    build: [await programDigest(), ...identity.build.split('.').slice(1)].join('.'),
    store,
    checkJournal: () => journal.check(),
  };
}

function isOf(claim: Claim, { definition }: LoadedDefinition): boolean {
  return sameDigests(claim, [digestDefinition(definition)]);
}

function orThrow(read: Offline | Faults): Offline {
  if (read instanceof Faults) throw read;
  return read;
}
