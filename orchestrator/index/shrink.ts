/** How many documents readers find: through an alias, with its filter and routing, and in the indexes themselves. */
export interface FoundDocuments {
  readonly throughAlias: number;
  readonly direct: number;
}

/** Documents before and after a move. */
export interface Shrinkage {
  readonly before: number;
  readonly after: number;
}

/** The share of documents that is lost, in per cent. 0 when none is. */
function lostPercent({ before, after }: Shrinkage): number {
  return before === 0 ? 0 : Math.max(0, ((before - after) / before) * 100);
}

/** The share that is lost, with as many digits as show that it is more than the limit, and that it is not all. */
export function lostWords(sizes: Shrinkage, limitPercent: number): string {
  const lost = lostPercent(sizes);
  const isPlain = (digits: number): boolean =>
    Number(lost.toFixed(digits)) > limitPercent && Number(lost.toFixed(digits)) < 100;
  let digits = 1;
  while (digits < MOST_DIGITS && !isPlain(digits)) digits += 1;
  return `${lost.toFixed(digits)} %`;
}

/** A share of so many documents that no index has more. */
const MOST_DIGITS = 12;

/** Whether more is lost than the limit allows. An index without documents always loses too much. */
export function isShrunk(sizes: Shrinkage, limitPercent: number): boolean {
  if (sizes.before === 0) return false;
  return sizes.after === 0 || lostPercent(sizes) > limitPercent;
}

/**
 * Compares what is served with what would be served. Both views count: a filter that fits no document of the new index
 * empties the alias, though the index itself is full.
 *
 * @returns the view that lost the most, if it lost too much; else null
 */
export function shrinkageOf(
  served: FoundDocuments,
  wanted: FoundDocuments,
  limitPercent: number,
): (Shrinkage & { readonly view: 'through the alias' | 'in the index itself' }) | null {
  const views = [
    { view: 'through the alias', before: served.throughAlias, after: wanted.throughAlias },
    { view: 'in the index itself', before: served.direct, after: wanted.direct },
  ] as const;
  const [worst] = views
    .filter((view) => isShrunk(view, limitPercent))
    .sort((a, b) => lostPercent(b) - lostPercent(a));
  return worst ?? null;
}
