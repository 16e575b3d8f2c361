import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import type { JournalFault } from './journal-faults.ts';
import { type CommandOptions, type EndedCommand, type RunningCommand, startCommand } from './run-command.ts';
import { call, uniqueName } from './search-calls.ts';
import { workersOf } from './worker-pids.ts';

/** The real search node if the machine has it, or else the one for development. */
export const SEARCH_URL = inject('searchUrl') ?? inject('developmentUrl');

const JOURNAL_FAULTS = fileURLToPath(new URL('./journal-faults.ts', import.meta.url));

/** Cleans up when the test has ended: of vitest's test context. */
export interface TestScope {
  onTestFinished(clean: () => Promise<void>): void;
}

export type SettingsSections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The parts of a run that exist before its settings. */
export interface RunPlace {
  /** Of the index; the fleet's name, too. */
  readonly alias: string;
  /** Where the settings come to lie. */
  readonly folder: string;
  readonly definitionFile: string;
}

export interface RunOptions {
  readonly databaseUrl: string;
  /** The definition without its alias. It needs `document` and `source`. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** Settings by section, over those that suit a small table. */
  readonly settings?: SettingsSections;
  /** Makes the whole settings file in place of these settings, e.g. from a stack. */
  readonly settingsFrom?: (place: RunPlace) => Promise<object>;
  /** The search node to look at; by default `SEARCH_URL`. The settings may name a proxy of it. */
  readonly searchUrl?: string;
  /** Of every command, beside PATH and HOME. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether `failJournal` is wanted. */
  readonly journalFaults?: boolean;
}

/** A folder with settings, a definition and a journal, and an alias. They belong to one test alone. */
export interface RunSetup {
  readonly alias: string;
  readonly folder: string;
  /** Where the fleet's journal comes to lie. */
  readonly journal: string;
  start(name: string, ...args: string[]): RunningCommand;
  /** Does what `start` does, with other options for the process. */
  startWith(
    options: Pick<CommandOptions, 'environment' | 'nodeFlags' | 'full'>,
    name: string,
    ...args: string[]
  ): RunningCommand;
  /** Runs a command to its end. */
  run(name: string, ...args: string[]): Promise<EndedCommand>;
  /** Sets the fault of the journal's file system for running and later commands. Null: there is no fault. */
  failJournal(fault: JournalFault | null): Promise<void>;
  /** Writes the definition anew, with these changes. */
  redefine(changes: Readonly<Record<string, unknown>>): Promise<void>;
  /** The worker processes of this test's runs that live now. */
  workers(): Promise<number[]>;
  /** Names of the indexes that begin with the alias. */
  indexes(): Promise<string[]>;
  /** What the alias points to. */
  served(): Promise<string[]>;
}

export async function setUpRun(scope: TestScope, options: RunOptions): Promise<RunSetup> {
  const alias = uniqueName('places');
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-run-'));
  const started: RunningCommand[] = [];
  const settingsFile = join(folder, 'reindex-fleet.yaml');
  const definitionFile = join(folder, 'places.yaml');
  const write = (file: string, value: unknown): Promise<void> =>
    writeFile(file, JSON.stringify(value, null, 2));
  const searchUrl = options.searchUrl ?? SEARCH_URL;
  const faultFile = join(folder, 'journal-fault.json');
  const journal = join(folder, 'journal', alias);
  // At once, or a command would read half of it.
  const failJournal = async (fault: JournalFault | null): Promise<void> => {
    await write(`${faultFile}.new`, fault);
    await rename(`${faultFile}.new`, faultFile);
  };
  await failJournal(null);
  const underFaults =
    options.journalFaults === true
      ? {
          nodeFlags: ['--import', JOURNAL_FAULTS],
          environment: { JOURNAL_FAULT_FILE: faultFile, JOURNAL_FAULT_FOLDER: journal },
        }
      : { environment: {} };
  const definition = { alias, index: { number_of_replicas: 0 }, ...options.definition };
  await write(definitionFile, definition);
  const { settingsFrom = ({ alias }: RunPlace) => Promise.resolve(settingsOf(alias, options)) } = options;
  await write(settingsFile, await settingsFrom({ alias, folder, definitionFile }));

  const startWith: RunSetup['startWith'] = (different, name, ...args) => {
    const command = startCommand({
      args: [name, '--settings', settingsFile, ...args],
      folder,
      ...underFaults,
      ...different,
      environment: { ...options.environment, ...underFaults.environment, ...different.environment },
    });
    started.push(command);
    return command;
  };
  const start: RunSetup['start'] = (name, ...args) => startWith({}, name, ...args);
  const setup: RunSetup = {
    alias,
    folder,
    journal,
    failJournal,
    start,
    startWith,
    run: (name, ...args) => start(name, ...args).ended,
    redefine: (changes) => write(definitionFile, { ...definition, ...changes }),
    workers: () => workersOf(definitionFile),
    indexes: () => indexesOf(searchUrl, alias),
    served: async () =>
      Object.keys((await call(searchUrl, 'GET', `/_alias/${alias}`)).body).filter((name) =>
        name.startsWith(alias),
      ),
  };
  scope.onTestFinished(async () => {
    await Promise.all(started.map(end));
    // A wildcard leaves the index of claims out, because it is hidden.
    for (const index of [...(await setup.indexes()), `${alias}-claims`])
      await call(searchUrl, 'DELETE', `/${index}`);
    await rm(folder, { recursive: true, force: true });
  });
  return setup;
}

function settingsOf(
  alias: string,
  { databaseUrl, searchUrl = SEARCH_URL, settings = {} }: RunOptions,
): Record<string, unknown> {
  const { source, target, journal, workers, local, ...others } = settings;
  const isElsewhere = 'auto_scaling' in others;
  return {
    fleet: alias,
    definitions: 'places.yaml',
    source: { url: databaseUrl, ...source },
    target: { url: searchUrl, waiting_timeout_ms: 20_000, ...target },
    journal: { url: 'journal', lease_ms: 3_000, ...journal },
    workers: { count: 2, ...workers },
    ...(isElsewhere && local === undefined ? {} : { local: { poll_interval_ms: 50, ...local } }),
    ...others,
  };
}

/** Its workers end with it. */
async function end({ child, ended }: RunningCommand): Promise<void> {
  child.kill('SIGKILL');
  await ended.catch(() => undefined);
}

async function indexesOf(searchUrl: string, alias: string): Promise<string[]> {
  const { body } = await call(searchUrl, 'GET', `/${alias}-*`);
  return Object.keys(body)
    .filter((name) => name.startsWith(alias))
    .sort();
}
