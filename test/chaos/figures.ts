import type { RoundReport } from './round.ts';

/** What came of all rounds. */
export interface Figures {
  readonly rounds: number;
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
  const faults = totals(reports.map((report) => report.faults));
  const kind = (name: string): number =>
    Object.entries(faults).reduce((total, [fault, count]) => total + (fault.startsWith(name) ? count : 0), 0);
  return {
    rounds: reports.length,
    failed_seeds: reports.flatMap(({ seed, problem }) => (problem === null ? [] : [seed])),
    commands: sum(({ commands }) => commands),
    exits: totals(reports.map((report) => report.exits)),
    faults,
    kills: kind('kill'),
    pauses: kind('pause'),
    cuts: kind('cut'),
    documents_compared: sum(({ documents }) => documents),
    documents_that_differ: sum(({ differing }) => differing),
    seconds: Math.round(sum(({ seconds }) => seconds)),
  };
}

function totals(counts: readonly ReadonlyMap<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [name, count] of counts.flatMap((map) => [...map])) total[name] = (total[name] ?? 0) + count;
  return Object.fromEntries(Object.entries(total).sort(([a], [b]) => a.localeCompare(b)));
}

/** For a person. */
export function wordsOf(figures: Figures): string[] {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  return [
    `${figures.rounds} rounds in ${figures.seconds} s, ${figures.failed_seeds.length} of them with a problem`,
    `${figures.commands} commands given; exits: ${list(figures.exits)}`,
    `${figures.kills} kills, ${figures.pauses} pauses, ${figures.cuts} cuts: ${list(figures.faults)}`,
    `${figures.documents_compared.toLocaleString('en')} documents compared, ${figures.documents_that_differ} differ`,
  ];
}
