import { expect, it } from 'vitest';
import type { ChangedRow, ChangesSource } from '../../orchestrator/index/changes-source.ts';
import type { SearchCalls } from '../../orchestrator/index/search-calls.ts';
import { staleKeys } from '../../orchestrator/index/stale-keys.ts';
import { sketchDefinition } from '../support/definitions.ts';

const NOW_MS = Date.parse('2026-01-01T12:00:00Z');
const MICROS = BigInt(NOW_MS) * 1_000n;
const ODD = MICROS - 999_999n;

it.for([
  ['changed after its document was written', { version: ODD, kept: true }, { document: ODD - 5n }, true],
  ['has gone back behind its document', { version: ODD, kept: true }, { document: ODD + 5n }, true],
  ['has no document yet', { version: ODD, kept: true }, {}, true],
  ['was read after its change', { version: ODD, kept: true }, { document: ODD }, false],
  ['is a dead letter of nobody knows which state', { version: ODD, kept: true }, { letter: true }, true],
  ['left where and has a document', { version: ODD, kept: false }, { document: ODD }, true],
  ['left where and is a dead letter', { version: ODD, kept: false }, { letter: true }, true],
  ['left where and has nothing', { version: ODD, kept: false }, {}, false],
  [
    'has a time of a whole second, within which it may have changed twice',
    { version: MICROS, kept: true },
    { document: MICROS },
    true,
  ],
  [
    'has a time of a whole second long ago',
    { version: MICROS - 3_600_000_000n, kept: true },
    { document: MICROS - 3_600_000_000n },
    false,
  ],
  [
    'has a time of a whole second in years to come',
    { version: MICROS * 2n, kept: true },
    { document: MICROS * 2n },
    false,
  ],
] as const)('a row is stale or not: one that %s', async ([, row, there, isStale]) => {
  expect(await staleOf({ key: 7n, ...row }, there)).toEqual(isStale ? [7n] : []);
});

interface There {
  readonly document?: bigint;
  readonly letter?: boolean;
}

/** The stale keys of a table of one row, by scripted answers of the cluster. */
async function staleOf(row: ChangedRow, { document, letter = false }: There): Promise<unknown[]> {
  const found = (version: bigint | undefined): string =>
    version === undefined
      ? '{"docs":[{"_id":"7","found":false}]}'
      : `{"docs":[{"_id":"7","found":true,"_version":${version}}]}`;
  const cluster: Pick<SearchCalls, 'callText' | 'callOrNull'> = {
    callOrNull: () => Promise.resolve(null),
    callText: (_method, path) =>
      Promise.resolve(path.startsWith('/target-dead/') ? found(letter ? 1n : undefined) : found(document)),
  };
  const source: Pick<ChangesSource, 'changedRows'> = {
    changedRows: async function* () {
      yield [row];
      await Promise.resolve();
    },
  };
  const definition = sketchDefinition({ source: { table: 't', changedAt: 'row.changed' }, document: {} });
  const pages = await Array.fromAsync(
    staleKeys(
      {
        cluster,
        source,
        described: { definition, fields: [], changedAtOid: 1184 },
        names: { index: 'target', deadLetterIndex: 'target-dead' },
        cutoff: { at: '2026-01-01T11:59:00Z', oldest: '2026-01-01T11:59:00Z', doubts: [] },
        clock: { now: () => new Date(NOW_MS) },
        signal: AbortSignal.timeout(10_000),
      },
      { start: null, end: null },
    ),
  );
  return pages.flat();
}
