import type { RoundReport } from './round.ts';

/** The outcome of all rounds. */
export interface Figures {
  readonly rounds: number;
  readonly runs: number;
  readonly failed_seeds: readonly number[];
  readonly commands: number;
  readonly exits: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly pauses: number;
  readonly cuts: number;
  readonly documents_compared: number;
  readonly documents_that_differ: number;
  readonly seconds: number;
}

export function figuresOf(reports: readonly RoundReport[]): Figures {
  const sum = (pick: (report: RoundReport) => number): number =>
    reports.reduce((total, report) => total + pick(report), 0);
  const faults = reports.flatMap((report) => report.faults);
  const exits = reports.flatMap((report) => report.exits);
  const kind = (name: string): number => faults.filter((fault) => fault.startsWith(name)).length;
  return {
    rounds: reports.length,
    runs: sum(({ runs }) => runs),
    failed_seeds: reports.flatMap(({ seed, problem }) => (problem === null ? [] : [seed])),
    commands: exits.length,
    exits: countOf(exits.map((code) => (code === null ? 'killed' : String(code)))),
    faults: countOf(faults),
    kills: kind('kill'),
    pauses: kind('pause'),
    cuts: kind('cut'),
    documents_compared: sum(({ documents }) => documents),
    documents_that_differ: sum(({ differing }) => differing),
    seconds: Math.round(sum(({ seconds }) => seconds)),
  };
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted((a, b) => a.localeCompare(b))) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** The outcome as text for a person. */
export function wordsOf(figures: Figures): string[] {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  return [
    `${figures.rounds} rounds with ${figures.runs} runs in ${figures.seconds} s, ${figures.failed_seeds.length} rounds with a problem`,
    `${figures.commands} commands given; exits: ${list(figures.exits)}`,
    `${figures.kills} kills, ${figures.pauses} pauses, ${figures.cuts} cuts: ${list(figures.faults)}`,
    `${figures.documents_compared.toLocaleString('en')} documents compared, ${figures.documents_that_differ} differ`,
  ];
}
