import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FaultCounts } from './faults.ts';
import type { WorldOutcome } from './run-world.ts';

export interface Simulation {
  readonly worlds: number;
  readonly broken: readonly WorldOutcome[];
  readonly faults: FaultCounts;
  readonly promoted: number;
  readonly cleanedRuns: number;
  readonly commands: number;
  readonly virtualHours: number;
  readonly seconds: number;
}

/** Runs the worlds of the seeds `seed`, `seed + 1`, … on all cores. */
export async function simulate(
  options: { readonly worlds: number; readonly seed: number },
  onWorld: (outcome: WorldOutcome, done: number) => void = () => {},
): Promise<Simulation> {
  const beganMs = performance.now();
  const threads = Math.min(availableParallelism(), options.worlds);
  const seeds = Array.from({ length: options.worlds }, (_, i) => options.seed + i);
  const faults = new FaultCounts();
  const broken: WorldOutcome[] = [];
  const sums = { done: 0, promoted: 0, cleanedRuns: 0, commands: 0, virtualMs: 0 };
  const note = (outcome: WorldOutcome): void => {
    faults.add(outcome.faults);
    if (outcome.broken !== null) broken.push(outcome);
    sums.done += 1;
    sums.promoted += outcome.promoted ? 1 : 0;
    sums.cleanedRuns += outcome.cleanedRuns;
    sums.commands += outcome.commands;
    sums.virtualMs += outcome.virtualMs;
    onWorld(outcome, sums.done);
  };
  const shares = Array.from({ length: threads }, (_, thread) =>
    seeds.filter((_, i) => i % threads === thread),
  );
  await Promise.all(shares.map((share) => runShare(share, note)));
  return {
    worlds: sums.done,
    broken: broken.sort((a, b) => a.seed - b.seed),
    faults,
    promoted: sums.promoted,
    cleanedRuns: sums.cleanedRuns,
    commands: sums.commands,
    virtualHours: sums.virtualMs / 3_600_000,
    seconds: (performance.now() - beganMs) / 1000,
  };
}

function runShare(seeds: readonly number[], note: (outcome: WorldOutcome) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('thread.ts', import.meta.url), { workerData: { seeds } });
    thread.on('message', note);
    thread.once('error', reject);
    thread.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`a thread of the simulation ended with ${code}`));
    });
  });
}
