import type { Minute } from './told.ts';

const COLUMNS = [
  'install',
  'services',
  'run',
  'promoted',
  'ended',
] as const satisfies readonly (keyof Minute)[];
const NAME_WIDTH = 22;
const WIDTH = 10;

export const heading = (): string =>
  `${'seconds'.padEnd(NAME_WIDTH)}${COLUMNS.map((column) => column.padStart(WIDTH)).join('')}`;

export function minuteLine(name: string, minute: Minute): string {
  return `${name.padEnd(NAME_WIDTH)}${COLUMNS.map((column) => minute[column].toFixed(1).padStart(WIDTH)).join('')}`;
}

/** Column by column. */
export function medianMinute(minutes: readonly Minute[]): Minute {
  const of = (column: keyof Minute): number => median(minutes.map((minute) => minute[column]));
  return {
    install: of('install'),
    services: of('services'),
    run: of('run'),
    promoted: of('promoted'),
    ended: of('ended'),
  };
}

/** How much of the other commit's time this one takes, column by column. */
export function ratioLine(here: Minute, there: Minute): string {
  const ratios = COLUMNS.map((column) => (here[column] / there[column]).toFixed(2).padStart(WIDTH));
  return `${'ratio'.padEnd(NAME_WIDTH)}${ratios.join('')}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}
