import type { KeyKind } from '../../definition/key/key-kind.ts';
import type { SampledKey } from './ranges.ts';

/** The most that is looked at. Of long rows it is fewer rows, because the database makes their documents for it. */
export interface MostLooked {
  readonly rows: number;
  readonly bytes: number;
}

/** The texts of some of a sample's keys, evenly spread. */
export function someKeys(kind: KeyKind, sample: readonly SampledKey[], most: MostLooked): string[] {
  const bytes = sample.reduce((sum, key) => sum + key.bytes / key.rows, 0);
  const step = Math.max(1, Math.ceil(sample.length / most.rows), Math.ceil(bytes / most.bytes));
  return sample.flatMap(({ key }, i) => (i % step === 0 ? [kind.format(key)] : []));
}
