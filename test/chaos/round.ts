import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Comparison } from './compare.ts';
import type { Plan } from './faults.ts';
import { setStage } from './stage.ts';
import { Story } from './story.ts';
import { Trial, type TrialOptions } from './trial.ts';

const KEPT_LOG_LINES = 12;
/** Rising seeds draw the changes, and two runs must not draw the same ones. */
const MOST_CHANGES = 100_000;

export interface RoundReport {
  readonly seed: number;
  /** Null when all is well. */
  readonly problem: string | null;
  /** The folder that keeps data, logs, journal and story of a round with a problem. */
  readonly folder: string | null;
  /** Of which the index was compared. */
  readonly runs: number;
  /** The exit code of each command; null when it was killed. */
  readonly exits: readonly (number | null)[];
  /** Names such as `kill worker`, one for each fault that happened. */
  readonly faults: readonly string[];
  readonly documents: number;
  readonly differing: number;
  readonly seconds: number;
}

export interface RoundOptions {
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The outcome of the runs so far. */
interface Played {
  readonly trials: Trial[];
  readonly comparisons: Comparison[];
}

/**
 * Plays one round from the start of its services to the last comparison. It ends all that it started, whatever happens.
 * @throws the signal's reason when that aborts
 */
export async function playRound(plan: Plan, { tell, signal }: RoundOptions): Promise<RoundReport> {
  const beginMs = performance.now();
  const story = new Story(tell);
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-chaos-'));
  await chmod(folder, 0o755); // The services may run as another user.
  const played: Played = { trials: [], comparisons: [] };
  const problem = await playRuns(plan, { folder, story, signal }, played).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (problem === null || signal.aborted) await rm(folder, { recursive: true, force: true });
  signal.throwIfAborted();
  if (problem !== null) {
    story.add(`PROBLEM: ${problem}`);
    await writeFile(join(folder, 'story.txt'), await wholeStory(folder, plan, story));
  }
  const seconds = (performance.now() - beginMs) / 1000;
  return {
    seed: plan.seed,
    problem,
    folder: problem === null ? null : folder,
    seconds,
    ...summaryOf(played),
  };
}

async function playRuns(
  plan: Plan,
  { folder, story, signal }: { readonly folder: string; readonly story: Story; readonly signal: AbortSignal },
  played: Played,
): Promise<void> {
  story.add(`database and search node start in ${folder}`);
  const stage = await setStage(folder, plan, signal);
  try {
    for (const [i, run] of plan.runs.entries()) {
      const options = { stage, plan: run, story, runKey: `run-${i + 1}`, seed: plan.seed + i * MOST_CHANGES };
      const comparison = await playRun(options, signal, played);
      if (comparison.problems.length > 0) throw new Error(comparison.problems.join('\n'));
    }
  } finally {
    await stage.clear();
  }
}

async function playRun(
  options: Omit<TrialOptions, 'signal'>,
  signal: AbortSignal,
  { trials, comparisons }: Played,
): Promise<Comparison> {
  const over = new AbortController();
  const trial = new Trial({ ...options, signal: AbortSignal.any([signal, over.signal]) });
  trials.push(trial);
  try {
    const comparison = await trial.play();
    comparisons.push(comparison);
    return comparison;
  } finally {
    over.abort();
    await trial.end();
  }
}

function summaryOf({ trials, comparisons }: Played) {
  const sum = (pick: (comparison: Comparison) => number): number =>
    comparisons.reduce((total, comparison) => total + pick(comparison), 0);
  return {
    runs: comparisons.length,
    exits: trials.flatMap(({ commands }) => commands.given.map(({ outcome }) => outcome?.code ?? null)),
    faults: trials.flatMap(({ injector }) => injector.done),
    documents: sum(({ documents }) => documents),
    differing: sum(({ differing }) => differing),
  };
}

/** The plan, what happened when, and the last words of each command. */
async function wholeStory(folder: string, plan: Plan, story: Story): Promise<string> {
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.stderr')).sort();
  const tails = await Promise.all(
    logs.map(async (name) => {
      const lines = (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');
      return [`The end of ${name}:`, ...lines.slice(-KEPT_LOG_LINES)].join('\n');
    }),
  );
  return [`The plan of seed ${plan.seed}:\n${JSON.stringify(plan, null, 2)}`, story.text, ...tails].join(
    '\n\n',
  );
}
