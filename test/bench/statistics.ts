/** How figures lie: their middle, the middle half of them, and their ends. */
export interface Spread {
  readonly median: number;
  readonly quartiles: readonly [number, number];
  readonly ends: readonly [number, number];
}

/** The spread of at least one figure. */
export function spreadOf(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { median: medianOf(sorted), quartiles: [at(0.25), at(0.75)], ends: [at(0), at(1)] };
}

/** The middle figure, or the mean of the two middle ones; NaN where there is none. */
export function medianOf(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const upper = sorted.length >> 1;
  const lower = sorted.length % 2 === 1 ? upper : upper - 1;
  return ((sorted[lower] ?? Number.NaN) + (sorted[upper] ?? Number.NaN)) / 2;
}

/** The spread in words, with `digits` behind the point. */
export function spreadWords({ median, quartiles, ends }: Spread, digits = 3): string {
  const range = (pair: readonly [number, number]): string =>
    pair.map((figure) => figure.toFixed(digits)).join(' to ');
  return `${median.toFixed(digits)} (quartiles ${range(quartiles)}, all ${range(ends)})`;
}

/**
 * The order of a round: each arm comes once at every place as rounds go on, and every second round goes backwards, so
 * that neither the place nor the neighbour before it favours an arm.
 */
export function orderOf<Item>(items: readonly Item[], round: number): Item[] {
  const shift = Math.floor(round / 2) % Math.max(1, items.length);
  const turned = [...items.slice(shift), ...items.slice(0, shift)];
  return round % 2 === 0 ? turned : turned.reverse();
}
