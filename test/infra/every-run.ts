import * as fc from 'fast-check';
import { type ProgramRun, runProgram, type StackConfiguration } from './program-run.ts';
import { configurations } from './stack-configurations.ts';

const RUNS = 30;
/** One for all properties of a process: they look at the same configurations, so that each of them runs once. */
const SEED = Date.now();
const runs = new Map<string, Promise<ProgramRun>>();

type Check = (run: ProgramRun, configuration: StackConfiguration) => unknown;

/** Checks a property of the program's runs with configurations of every kind, see `configurations`. */
export async function everyRun(check: Check): Promise<void> {
  const property = fc.asyncProperty(configurations, async (configuration) => {
    await check(await runOnce(configuration), configuration);
  });
  await fc.assert(property, { seed: SEED, numRuns: RUNS, endOnFailure: false });
}

function runOnce(configuration: StackConfiguration): Promise<ProgramRun> {
  const key = JSON.stringify(configuration);
  const run = runs.get(key) ?? runProgram(configuration);
  runs.set(key, run);
  return run;
}
