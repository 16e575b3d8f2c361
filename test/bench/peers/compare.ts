import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { describeDefinition } from '../../../definition/describe.ts';
import { parseDefinition } from '../../../definition/load.ts';
import { dataDirectory } from '../../../embedded/cache.ts';
import type { BenchOptions } from '../options.ts';
import { allRows, COLUMN_COUNT, sampleDefinition, sampleTable } from '../sample-table.ts';
import { startNullSink } from '../sinks/null.ts';
import { startOpensearchSink } from '../sinks/opensearch.ts';
import type { Sink, SinkKind } from '../sinks/sink.ts';
import type { Arm, Work } from './arm.ts';
import { allArms, chooseArms } from './arms.ts';
import { armsWithSameDocuments, measureRounds, SAMPLE_ROWS } from './measure.ts';
import { reportOf } from './report.ts';
import { takeTurn } from './turn.ts';

/** How much is measured by default on a sink: so that all of it takes less than 10 minutes on two cores, quick 2. */
interface Extent {
  readonly documents: number;
  readonly rounds: number;
}

const EXTENTS: Readonly<Record<'whole' | 'quick', Readonly<Record<SinkKind, Extent>>>> = {
  whole: { null: { documents: 200_000, rounds: 5 }, opensearch: { documents: 100_000, rounds: 4 } },
  quick: { null: { documents: 30_000, rounds: 2 }, opensearch: { documents: 6_000, rounds: 2 } },
};

export interface ComparisonPlace {
  readonly client: Client;
  readonly databaseUrl: string;
  readonly databaseCpuSeconds: () => Promise<number>;
  readonly cacheDir: string;
}

/** This project's worker and what people would take instead, on field-identical documents, on one sink or both. */
export async function comparePeers(place: ComparisonPlace, options: BenchOptions): Promise<void> {
  const kinds: SinkKind[] = options.sink === 'both' ? ['null', 'opensearch'] : [options.sink];
  const extentOf = (kind: SinkKind): Extent => {
    const usual = EXTENTS[options.quick ? 'quick' : 'whole'][kind];
    return { documents: options.documents ?? usual.documents, rounds: options.rounds ?? usual.rounds };
  };
  const most = Math.max(...kinds.map((kind) => extentOf(kind).documents));
  const table = await sampleTable(place.client, Math.max(most, SAMPLE_ROWS));
  const { definition } = parseDefinition(sampleDefinition(table), 'bench.yaml');
  const described = await describeDefinition(place.client, definition);
  const { databaseUrl, databaseCpuSeconds } = place;
  const work = { databaseUrl, databaseCpuSeconds, table, described };
  const arms = await sameArms(place, options, work);
  const reports: string[] = [];
  for (const kind of kinds) {
    const sink = await startSink(kind, place.cacheDir);
    if ('missing' in sink) {
      console.log(`The ${kind} sink is left out: ${sink.missing}.`);
      continue;
    }
    try {
      reports.push(await onSink(sink, arms, { work, extent: extentOf(kind), markdown: options.markdown }));
    } finally {
      await sink.stop();
    }
  }
  console.log(`\n${reports.join('\n\n')}`);
}

async function sameArms(
  place: ComparisonPlace,
  options: BenchOptions,
  work: Omit<Work, 'sinkUrl' | 'rows'>,
): Promise<readonly Arm[]> {
  const { arms: all, missing } = await allArms(place);
  for (const sentence of missing) console.log(sentence);
  const chosen = chooseArms(all, options.arms ?? null);
  for (const { name, way } of chosen) console.log(`${name.padEnd(24)} ${way}`);
  const same = await armsWithSameDocuments(chosen, { ...work, rows: allRows(SAMPLE_ROWS) });
  for (const sentence of same.refused) console.log(sentence);
  console.log(
    `${same.arms.length} arms write the same ${SAMPLE_ROWS} documents (SHA-256 ${same.hash.slice(0, 16)}…) of ${COLUMN_COUNT} fields and ${(same.documentBytes / 1_000).toFixed(2)} KB; ${availableParallelism()} cores for PostgreSQL, the client and the sink`,
  );
  return same.arms;
}

interface Measured {
  readonly work: Omit<Work, 'sinkUrl' | 'rows'>;
  readonly extent: Extent;
  readonly markdown: boolean;
}

async function onSink(sink: Sink, arms: readonly Arm[], measured: Measured): Promise<string> {
  const { documents, rounds } = measured.extent;
  console.log(`\n${sink.name}, ${documents.toLocaleString('en')} documents a turn`);
  const able = arms.filter(({ name, refusal }) => {
    const why = refusal(sink.kind);
    if (why !== null) console.log(`${name} is left out here: ${why}.`);
    return why === null;
  });
  const work = { ...measured.work, sinkUrl: sink.url, rows: allRows(documents) };
  // Warms the node and the database's cache, and is not counted.
  const [first] = able;
  if (first !== undefined) await takeTurn(first, work, sink);
  return reportOf(sink, await measureRounds(able, work, { sink, rounds }), measured.markdown);
}

async function startSink(kind: SinkKind, cacheDir: string): Promise<Sink | { readonly missing: string }> {
  if (kind === 'null') return await startNullSink();
  const dataDir = join(dataDirectory(cacheDir), 'bench', 'search');
  return await startOpensearchSink({ cacheDir, dataDir });
}
