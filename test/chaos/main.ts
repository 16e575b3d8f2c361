import { randomInt } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import picocolors from 'picocolors';
import { nextSeed, planOf } from './faults.ts';
import { figuresOf, wordsOf } from './figures.ts';
import { playRound, type RoundReport } from './round.ts';

/**
 * Runs the real command line against a real PostgreSQL and a real OpenSearch. It kills, pauses and cuts off everything
 * that takes part, again and again. Then it compares each promoted index with its table, document by document.
 */
const program = new Command('chaos')
  .description('Kills and pauses all that takes part in a run, and compares what comes of it with the table.')
  .option(
    '--minutes <minutes>',
    'for how long; the round that is under way then is finished',
    wholeNumber,
    10,
  )
  .option('--seed <seed>', 'of the first round; that of each further one follows from it', wholeNumber)
  .option('--rounds <count>', 'at most so many rounds', wholeNumber, Number.POSITIVE_INFINITY)
  .parse();
const options = program.opts<{ minutes: number; seed?: number; rounds: number }>();

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    console.log(`${name}: the round ends, and all that it started.`);
    interruption.abort();
  });
}

const reports = await playRounds(options.seed ?? randomInt(1, 2 ** 31 - 1));
const figures = figuresOf(reports);
for (const line of wordsOf(figures)) console.log(picocolors.bold(line));
console.log(JSON.stringify(figures));
process.exit(figures.failed_seeds.length > 0 || interruption.signal.aborted ? 1 : 0);

async function playRounds(firstSeed: number): Promise<RoundReport[]> {
  const { signal } = interruption;
  const endMs = performance.now() + options.minutes * 60_000;
  const played: RoundReport[] = [];
  for (let seed = firstSeed; played.length < options.rounds; seed = nextSeed(seed)) {
    console.log(picocolors.bold(`round ${played.length + 1}, seed ${seed}`));
    try {
      const report = await playRound(planOf(seed), { tell: (line) => console.log(line), signal });
      played.push(report);
      tellOutcome(report);
    } catch (error) {
      if (signal.aborted) break;
      throw error;
    }
    if (performance.now() > endMs) break;
  }
  return played;
}

function tellOutcome({ seed, problem, folder, seconds }: RoundReport): void {
  if (problem === null) return console.log(picocolors.green(`all is well after ${Math.round(seconds)} s`));
  console.log(
    picocolors.red(`seed ${seed} has a problem; all of it is kept in ${folder}, see story.txt there`),
  );
  console.log(`once more: npm run chaos -- --rounds 1 --seed ${seed}`);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('A whole number, 1 or more.');
  return Number(text);
}
