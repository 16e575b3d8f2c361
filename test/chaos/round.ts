import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { workersOf } from '../support/worker-pids.ts';
import type { GivenCommand } from './commands.ts';
import { compare, type Comparison } from './compare.ts';
import { faultOfExit } from './exits.ts';
import type { Plan } from './faults.ts';
import { RUN_KEY, setStage, type Stage } from './stage.ts';
import { Story } from './story.ts';

/** More commands than any plan's faults can make fail. */
const MOST_COMMANDS = 40;
/** A worker whose orchestrator is gone ends within 2 s; a busy machine takes longer. */
const WORKERS_END_WITHIN_MS = 15_000;
const KEPT_LOG_LINES = 12;

export interface RoundReport {
  readonly seed: number;
  /** Null: all is well. */
  readonly problem: string | null;
  /** What is kept of a round with a problem: data, logs, journal, and its story. */
  readonly folder: string | null;
  readonly commands: number;
  /** Exit code, or `killed` -> how often. */
  readonly exits: ReadonlyMap<string, number>;
  /** `kill worker` -> how often. */
  readonly faults: ReadonlyMap<string, number>;
  readonly documents: number;
  readonly differing: number;
  readonly seconds: number;
}

/** Plays one round from the start of its services to the comparison, and ends all that it started, whatever happens. */
export async function playRound(
  plan: Plan,
  options: { readonly tell: (line: string) => void; readonly signal: AbortSignal },
): Promise<RoundReport> {
  const beginMs = performance.now();
  const story = new Story(options.tell);
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-chaos-'));
  await chmod(folder, 0o755); // The services may run as another user.
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  let stage: Stage | null = null;
  let comparison: Comparison | null = null;
  let problem: string | null = null;
  try {
    story.add(`database and search node start in ${folder}`);
    stage = await setStage(folder, plan, story, signal);
    comparison = await play(stage, plan, story, signal);
    if (comparison.problems.length > 0) problem = comparison.problems.join('\n');
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  } finally {
    over.abort();
    await stage?.clear();
  }
  const interrupted = options.signal.aborted;
  if (problem === null || interrupted) await rm(folder, { recursive: true, force: true });
  else {
    story.add(`PROBLEM: ${problem}`);
    await writeFile(join(folder, 'story.txt'), await wholeStory(folder, plan, story));
  }
  return {
    seed: plan.seed,
    problem: interrupted ? null : problem,
    folder: problem === null || interrupted ? null : folder,
    commands: stage?.commands.given.length ?? 0,
    exits: countExits(stage?.commands.given ?? []),
    faults: stage?.injector.counts ?? new Map(),
    documents: comparison?.documents ?? 0,
    differing: comparison?.differing ?? 0,
    seconds: (performance.now() - beginMs) / 1000,
  };
}

/** From the first command to the comparison. */
async function play(stage: Stage, plan: Plan, story: Story, signal: AbortSignal): Promise<Comparison> {
  const { commands, injector, changes, victims, database, search, journal } = stage;
  const done = await runUntilDone(stage, plan, signal);
  await injector.end();
  await changes.end();
  await untilAllEnded(stage, signal);
  await victims.servicesBack();
  await requireNoWorkers(stage);
  const provenFrom = Math.max(...commands.given.map(({ validatedFrom }) => validatedFrom ?? 0));
  const late = [...changes.changedAt].flatMap(([key, atMs]) => (atMs >= provenFrom ? [key] : []));
  const comparison = await compare({
    databaseUrl: database.url,
    searchUrl: search.url,
    journal,
    runKey: RUN_KEY,
    result: done.outcome?.result ?? {},
    unprovable: new Set(late),
    changed: changes.changedAt.size > 0,
  });
  const except = late.length === 0 ? '' : `, but for ${late.length} keys that changed after the proof began`;
  story.add(
    `${comparison.documents} documents are compared with the table${except}: ${comparison.differing} differ`,
  );
  return comparison;
}

/** Gives the command again and again; gives the one that succeeded. */
async function runUntilDone(stage: Stage, plan: Plan, signal: AbortSignal): Promise<GivenCommand> {
  const { commands, injector, victims } = stage;
  const { afterMs, twoAtOnce, waitsForServices } = plan.again;
  for (let turn = 0; commands.given.length < MOST_COMMANDS; turn += 1) {
    await commands.give(turn === 0 ? 'the first' : 'again');
    if (twoAtOnce[turn % twoAtOnce.length] === true) await commands.give('twice at once');
    if (turn === 0) injector.phaseBegan('start');
    await untilAllEnded(stage, signal);
    const done = commands.given.find(({ outcome }) => outcome?.code === 0);
    if (done !== undefined) return done;
    await sleep(afterMs[turn % afterMs.length] ?? 0, undefined, { signal });
    if (waitsForServices) await victims.servicesBack();
  }
  throw new Error(`The command was given ${commands.given.length} times and has not succeeded.`);
}

/** Also those that were given meanwhile. @throws at the first that ends as it must not */
async function untilAllEnded({ commands, victims, changes }: Stage, signal: AbortSignal): Promise<void> {
  while (commands.running.length > 0) await commands.anyEnds(signal);
  const circumstances = {
    commands: commands.given,
    servicesHitMs: victims.servicesHitMs,
    tableChanges: changes.changedAt.size > 0,
  };
  const faults = commands.given.flatMap((command) => faultOfExit(command, circumstances) ?? []);
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

async function requireNoWorkers({ definitionFile }: Stage): Promise<void> {
  const deadlineMs = performance.now() + WORKERS_END_WITHIN_MS;
  for (;;) {
    const pids = await workersOf(definitionFile);
    if (pids.length === 0) return;
    if (performance.now() > deadlineMs)
      throw new Error(`All commands have ended, and their workers ${pids.join(', ')} live on.`);
    await sleep(100);
  }
}

function countExits(commands: readonly GivenCommand[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { outcome } of commands) {
    const name = outcome?.code === undefined || outcome.code === null ? 'killed' : String(outcome.code);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** The plan, what happened when, and the last words of each command. */
async function wholeStory(folder: string, plan: Plan, story: Story): Promise<string> {
  const logs = (await readdir(folder)).filter((name) => /^command-\d+\.stderr$/.test(name)).sort();
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
