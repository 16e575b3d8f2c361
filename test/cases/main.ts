import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { OWN_BUILD } from './build-command.ts';
import { findCases, inOrderOf } from './find-cases.ts';
import { playCase } from './play.ts';
import { startServers } from './servers.ts';
import { headOf, rowOf } from './verdict-table.ts';

/** Plays what real tables, clusters and schedulers did to a run, on a real PostgreSQL and a real OpenSearch. */
const program = new Command('cases')
  .description(
    'Plays each case by commands, and prints a table: case, right, got. Exit 1 if one is not right.',
  )
  .argument('[names...]', 'cases to play, by the beginnings of their names; none: all')
  .option('--against <folder>', 'plays each case with the command line of another checkout too', otherBuild)
  .option('--seed <seed>', 'plays the cases in the order that this seed decides', wholeNumber)
  .option(
    '--begin-within <seconds>',
    'begins no case later than this, and names how many had no time',
    wholeNumber,
  )
  .parse();
const { against, seed, beginWithin } = program.opts<{
  against?: string;
  seed?: number;
  beginWithin?: number;
}>();
const beginUntilMs =
  beginWithin === undefined ? Number.POSITIVE_INFINITY : performance.now() + beginWithin * 1000;

const found = await findCases(program.args);
const cases = seed === undefined ? found : inOrderOf(seed, found);
const servers = await startServers((line) => console.error(line));
const ends = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ends.abort());

let right = 0;
let played = 0;
try {
  const columns = ['case', 'right', 'got', ...(against === undefined ? [] : ['got by the other build'])];
  for (const line of headOf(columns)) console.log(line);
  for (const { name, theCase } of cases) {
    if (ends.signal.aborted || performance.now() > beginUntilMs) break;
    const verdicts = [await playCase({ name, theCase }, { ...servers, main: OWN_BUILD })];
    if (against !== undefined)
      verdicts.push(await playCase({ name, theCase }, { ...servers, main: against }));
    played += 1;
    if (verdicts[0]?.ok === true) right += 1;
    const got = verdicts.map((verdict) => `${verdict.ok ? 'right' : 'NOT RIGHT'}: ${verdict.got}`);
    console.log(rowOf([`${name}: ${theCase.title}`, theCase.right, ...got]));
  }
} finally {
  await servers.stop();
}
const left = cases.length - played;
console.log(
  `\n${right} of ${played} cases are right${left === 0 ? '' : `; ${left} were not played${ends.signal.aborted ? '' : ', because there was no time'}`}`,
);
process.exit(right === played && !ends.signal.aborted ? 0 : 1);

function otherBuild(folder: string): string {
  const main = resolve(folder, 'orchestrator/main.ts');
  if (!existsSync(main)) throw new InvalidArgumentError(`There is no ${main}.`);
  return main;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('A whole number.');
  return Number(text);
}
