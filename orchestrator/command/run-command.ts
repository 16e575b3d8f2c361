import { exitCodeOf } from '../../definition/failure.ts';
import { type Fault, formatFault } from '../../definition/faults.ts';
import { Interrupted, messageOf } from '../errors.ts';
import { connectFleet } from '../fleet/connect-fleet.ts';
import { listenForSignals, wholeTurn } from '../lifetime.ts';
import { isPassing } from '../index/patience.ts';
import { ENDING_SECTIONS, FLEET_SECTIONS, JOURNAL_SECTIONS } from '../needed-settings.ts';
import { jsonLines } from '../report/json-reporter.ts';
import type { Reporter } from '../report/reporter.ts';
import { TerminalReporter } from '../report/terminal-reporter.ts';
import type { Environment } from '../settings.ts';
import type { Phase } from '../reconcile/phases.ts';
import { openOffline, openOfflineFleet } from '../run/offline.ts';
import { openRecorded } from '../run/recorded-offline.ts';
import { abandonCommand } from './abandon.ts';
import { type Invocation, parseCommandLine } from './command-line.ts';
import { type CommandContext, type CommandResult, type RecordContext, runKeyIn } from './command.ts';
import { commandSettings } from './command-settings.ts';
import { type Output, outlivePipes, writeResult, writeResultNow } from './output.ts';
import { planCommand } from './plan.ts';
import { rollbackCommand } from './rollback.ts';
import { runCommandOrPhase } from './run.ts';
import { statusCommand } from './status.ts';
import { sweepCommand } from './sweep.ts';
import { versionWords } from './version.ts';

/** Runs one command line to its end and returns the exit code. The last line of all output is the result as JSON. */
export async function runCommand(
  args: readonly string[],
  environment: Environment,
  workingFolder: string,
  output: Output,
): Promise<number> {
  outlivePipes(output);
  const reporter = chooseReporter(output);
  const lifetime = listenForSignals(
    ({ move: signal }) =>
      reporter.note(`${signal}: recording the state of the work; a second signal ends the process at once`),
    (interrupted) => {
      writeResultNow(failure(interrupted));
      process.exit(exitCodeOf(interrupted));
    },
  );
  try {
    const { signal } = lifetime;
    const code = await attempt(args, { environment, workingFolder, reporter, output, signal });
    // Signals arrive between two turns of the event loop. This turn hears one that came before the last line was
    // written.
    await wholeTurn();
    return lifetime.signal.aborted ? exitCodeOf(lifetime.signal.reason) : code;
  } finally {
    lifetime.end();
  }
}

/** What surrounds a command line. */
interface Surroundings {
  readonly environment: Environment;
  readonly workingFolder: string;
  readonly reporter: Reporter;
  readonly output: Output;
  /** Aborts at a signal. */
  readonly signal: AbortSignal;
}

async function attempt(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { reporter, output, signal } = surroundings;
  try {
    const invocation = parseCommandLine(args, (text) => output.stdout.write(text));
    if (invocation === 'version') output.stdout.write(`${await versionWords()}\n`);
    if (invocation === 'version' || invocation === null) return 0;
    const result = await perform(invocation, surroundings);
    reporter.close();
    await writeResult(output.stdout, result);
    return 0;
  } catch (error) {
    // Work that a signal interrupts fails in many ways. The signal is the reason.
    const reason: unknown = signal.aborted ? signal.reason : error;
    reporter.close();
    return await fail(reason, reporter, output);
  }
}

async function fail(reason: unknown, reporter: Reporter, output: Output): Promise<number> {
  const result = failure(reason);
  reporter.failure(result.error, { exit_code: result.exit_code });
  await writeResult(output.stdout, result);
  return result.exit_code;
}

const SAME_COMMAND = '\nGive the same command again when this has passed.';

function failure(reason: unknown): { status: string; exit_code: number; error: string } {
  const status = reason instanceof Interrupted ? 'interrupted' : 'failed';
  const again = isPassing(reason) && !reason.message.includes('same command') ? SAME_COMMAND : '';
  return { status, exit_code: exitCodeOf(reason), error: `${messageOf(reason)}${again}` };
}

/** A command that works from the journal alone, and the settings that it needs. */
interface RecordCommand {
  readonly sections: readonly string[];
  readonly perform: (context: RecordContext) => Promise<CommandResult>;
}

/**
 * These read no definition, and of the settings only what they need: a machine may only sweep on a schedule, and in an
 * incident anything may be broken.
 */
const FROM_RECORDS = {
  status: { sections: JOURNAL_SECTIONS, perform: statusCommand },
  rollback: { sections: JOURNAL_SECTIONS, perform: rollbackCommand },
  abandon: { sections: FLEET_SECTIONS, perform: abandonCommand },
  sweep: { sections: FLEET_SECTIONS, perform: sweepCommand },
} as const satisfies Readonly<Record<string, RecordCommand>>;

function isFromRecords(command: Invocation['command']): command is keyof typeof FROM_RECORDS {
  return Object.hasOwn(FROM_RECORDS, command);
}

/** The phases after the proof. A run may be waiting for a person there, and its definition may change meanwhile. */
const ENDING: readonly Invocation['command'][] = ['promote', 'retain', 'release'] satisfies Phase[];

function isEnding(command: Invocation['command']): boolean {
  return ENDING.includes(command);
}

/** The sections that a command needs. Null: the whole settings. */
function sectionsOf(command: Invocation['command']): readonly string[] | null {
  if (isFromRecords(command)) return FROM_RECORDS[command].sections;
  return isEnding(command) ? ENDING_SECTIONS : null;
}

async function perform(
  { command, flags }: Invocation,
  { environment, workingFolder, reporter, output, signal }: Surroundings,
): Promise<CommandResult> {
  const onIgnored = (fault: Fault): void =>
    reporter.warning(`${formatFault(fault)} ${command} does not need it.`);
  const sections = sectionsOf(command);
  const needs = sections === null ? null : { sections, onIgnored };
  const settings = await commandSettings({ flags, environment, workingFolder, needs }, signal);
  const shared = { reporter, workers: await connectFleet(settings), signal, flags };
  if (isFromRecords(command))
    return FROM_RECORDS[command].perform({ ...shared, offline: openOfflineFleet(settings, environment) });
  const offline = isEnding(command)
    ? await openRecorded({ settings, environment, reporter, runKey: runKeyIn(flags, environment) })
    : await openOffline(settings, environment);
  const context: CommandContext = { ...shared, offline, output };
  return command === 'plan' ? planCommand(context) : runCommandOrPhase(context, command);
}

function chooseReporter({ stderr }: Output): Reporter {
  const monotonicMs = (): number => performance.now();
  if (stderr.isTTY) return new TerminalReporter(stderr, monotonicMs);
  return jsonLines((line) => void stderr.write(line), monotonicMs);
}
