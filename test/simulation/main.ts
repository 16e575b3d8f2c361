import { Command, InvalidArgumentError } from 'commander';
import { createLogUpdate } from 'log-update';
import { FAULTS } from './faults.ts';
import { prepareWorlds, runWorld, type WorldOutcome } from './run-world.ts';
import { simulate, type Simulation } from './simulate.ts';

/**
 * `npm run simulate` plays whole runs in virtual time, each in a world of faults that its seed draws. It prints the
 * first seed that broke a promise at once, and at the end how often each fault happened. One world tells its story.
 */
async function main(): Promise<number> {
  const { worlds, seed } = new Command('npm run simulate --')
    .description('Runs whole runs in virtual time, each in a world of faults that its seed draws.')
    .option('--worlds <count>', 'how many worlds; one alone tells its story', wholeNumber, 2_000)
    .option('--seed <number>', 'seed of the first world; the others count on from it', wholeNumber, 1)
    .parse()
    .opts<{ worlds: number; seed: number }>();
  return worlds === 1 ? tellStory(seed) : runMany(worlds, seed);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a whole number.');
  return Number(text);
}

async function tellStory(seed: number): Promise<number> {
  const outcome = await runWorld({ seed, story: (line) => console.log(line) }, await prepareWorlds());
  console.log(
    outcome.broken === null ? `\nseed ${seed}: every promise held` : `\nseed ${seed}: ${outcome.broken}`,
  );
  return outcome.broken === null ? 0 : 1;
}

async function runMany(worlds: number, seed: number): Promise<number> {
  const live = createLogUpdate(process.stderr);
  let shownMs = 0;
  const show = ({ broken, seed: broke }: WorldOutcome, done: number): void => {
    if (broken !== null)
      console.log(`seed ${broke}: ${broken}\n  its story: npm run simulate -- --worlds 1 --seed ${broke}`);
    if (!process.stderr.isTTY || performance.now() - shownMs < 200) return;
    shownMs = performance.now();
    live(`${done} of ${worlds} worlds`);
  };
  const simulation = await simulate({ worlds, seed }, show);
  live.clear();
  printFigures(simulation, seed);
  return simulation.broken.length === 0 ? 0 : 1;
}

function printFigures(simulation: Simulation, seed: number): void {
  const { worlds, seconds, broken, faults, commands, promoted, virtualHours } = simulation;
  console.log('how often each fault happened:');
  for (const fault of FAULTS) console.log(`${String(faults.counts.get(fault) ?? 0).padStart(9)}  ${fault}`);
  console.log(
    `\n${worlds} worlds from seed ${seed} on: ${commands} commands, ${Math.round(virtualHours)} virtual hours, ` +
      `${promoted} ended with the alias on an index\n` +
      `${seconds.toFixed(1)} s, ${(worlds / seconds).toFixed(1)} worlds/s; promises broken in ${broken.length} worlds`,
  );
  const figures = {
    worlds,
    seed,
    seconds: Number(seconds.toFixed(1)),
    broken: broken.map(({ seed: broke }) => broke),
  };
  console.log(JSON.stringify({ ...figures, worlds_per_second: Number((worlds / seconds).toFixed(1)) }));
}

process.exitCode = await main();
