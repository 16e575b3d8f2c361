import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import type { DescribedDefinition, IndexDefinition } from '../../definition/definition.ts';
import { describeDefinition } from '../../definition/describe.ts';
import { describedDigest } from '../../definition/digest.ts';
import { loadDefinitions } from '../../definition/load.ts';
import { copyStatement } from '../../definition/sql.ts';
import { cacheDirectory, dataDirectory } from '../../embedded/cache.ts';
import { type Postgresql, startPostgresql } from '../../embedded/postgresql.ts';
import {
  HEADER_EPOCH,
  HEADER_RUN,
  type TaskStatus,
  taskStatusSchema,
  WORKER_NODE_FLAGS,
} from '../../worker/contract.ts';
import { Child } from './child.ts';
import { discardCopy } from './copy-rate.ts';
import { COLUMN_COUNT, sampleDefinition, sampleTable } from './sample-table.ts';

/**
 * How fast one worker is, against PostgreSQL's own COPY for the same query, read and thrown away: in turns, for the
 * machine's pace wanders. Everything is real but the search cluster, which is a process that answers and forgets.
 */
const TARGET_RATIO = 0.6;
const TARGET_PEAK_BYTES = 200e6;
const POLL_MS = 100;
const HEADERS = { [HEADER_RUN]: 'bench', [HEADER_EPOCH]: '1', 'content-type': 'application/json' };

interface Round {
  readonly copyRate: number;
  readonly workerRate: number;
  readonly cpuSeconds: number;
  readonly sinkSeconds: number;
  readonly rssBytes: number;
  readonly peakBytes: number;
}

interface Bench {
  readonly rows: number;
  readonly database: { readonly connectionString: string };
  readonly described: DescribedDefinition;
  readonly worker: Child;
  readonly sink: Child;
  readonly workerUrl: string;
}

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '5' } },
});
enableCompileCache();
await main(Number(values.rows), Number(values.rounds));

async function main(rows: number, rounds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-bench-'));
  const cacheDir = cacheDirectory(process.env);
  const postgresql = await startPostgresql({
    cacheDir,
    dataDir: join(dataDirectory(cacheDir), 'bench', 'postgresql'),
    settings: { shared_buffers: '2GB', max_wal_size: '8GB' },
  });
  const sink = new Child(new URL('null-sink.ts', import.meta.url), {});
  try {
    const definitionFile = join(folder, 'bench.yaml');
    const { described, rowBytes } = await prepare(postgresql, definitionFile, rows);
    const sinkUrl = await sink.firstLine;
    const worker = startWorker(postgresql, sinkUrl, definitionFile);
    try {
      const { url: workerUrl } = JSON.parse(await worker.firstLine) as { url: string };
      const bench = {
        rows,
        database: { connectionString: postgresql.url },
        described,
        worker,
        sink,
        workerUrl,
      };
      console.log(
        `${rows.toLocaleString('en')} rows of ${COLUMN_COUNT} columns, ${rowBytes} bytes each; ${availableParallelism()} cores for PostgreSQL, worker and sink`,
      );
      await measure(bench, rounds, sinkUrl);
    } finally {
      await worker.stop();
    }
  } finally {
    await sink.stop();
    await postgresql.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function prepare(
  postgresql: Postgresql,
  definitionFile: string,
  rows: number,
): Promise<{ described: DescribedDefinition; rowBytes: number }> {
  const client = new Client({ connectionString: postgresql.url });
  await client.connect();
  try {
    const table = await sampleTable(client, rows);
    await writeFile(definitionFile, sampleDefinition(table));
    const [definition] = (await loadDefinitions(definitionFile)) as [IndexDefinition];
    const described = await describeDefinition(client, definition);
    const sample = await discardCopy(
      { connectionString: postgresql.url },
      copyStatement(described, { start: 1n, end: 1_001n }),
    );
    return { described, rowBytes: Math.round(sample.bytes / Math.min(rows, 1_000)) };
  } finally {
    await client.end();
  }
}

function startWorker(postgresql: Postgresql, sinkUrl: string, definitionFile: string): Child {
  return new Child(new URL('../../worker/main.ts', import.meta.url), {
    nodeFlags: WORKER_NODE_FLAGS,
    args: ['--exit-with-parent', '--port', '0', '--id', 'bench'],
    environment: {
      REINDEX_WORKER_DEFINITIONS: definitionFile,
      REINDEX_WORKER_DATABASE_URL: postgresql.url,
      REINDEX_WORKER_SEARCH_URL: sinkUrl,
      // As the local fleet starts its workers.
      NODE_COMPILE_CACHE: getCompileCacheDir() ?? '',
    },
  });
}

async function measure(bench: Bench, rounds: number, sinkUrl: string): Promise<void> {
  const done: Round[] = [];
  console.log('round  COPY rows/s  worker rows/s  ratio  worker CPU s  sink CPU s  RSS MB  peak MB');
  for (let i = 1; i <= rounds; i++) {
    const round = await runRound(bench, i);
    done.push(round);
    console.log(rowOf(String(i), round));
  }
  const { documents } = (await (await fetch(sinkUrl)).json()) as { documents: number };
  if (documents !== bench.rows * rounds)
    throw new Error(`The sink got ${documents} documents instead of ${bench.rows * rounds}.`);
  const typical = medianOf(done);
  console.log(rowOf('median', typical));
  const ratio = typical.workerRate / typical.copyRate;
  console.log(
    `ratio ${ratio.toFixed(2)}: target ${TARGET_RATIO.toFixed(2)} ${ratio >= TARGET_RATIO ? 'met' : 'missed'}`,
  );
  const peakBytes = Math.max(...done.map((round) => round.peakBytes));
  console.log(
    `peak RSS ${megabytes(peakBytes)} MB after ${(bench.rows * rounds).toLocaleString('en')} rows: target ${megabytes(TARGET_PEAK_BYTES)} MB ${peakBytes <= TARGET_PEAK_BYTES ? 'met' : 'missed'}`,
  );
}

async function runRound(bench: Bench, round: number): Promise<Round> {
  const { rows, database, described, worker, sink } = bench;
  const copy = await discardCopy(database, copyStatement(described, { start: null, end: null }));
  const [before, sinkBefore] = [await worker.usage(), await sink.usage()];
  const status = await runTask(bench, round);
  const [after, sinkAfter] = [await worker.usage(), await sink.usage()];
  if (status.error !== null || status.rows_read !== rows || status.targets[0]?.indexed !== rows) {
    throw new Error(`The task did not index ${rows} rows: ${JSON.stringify(status)}`);
  }
  const seconds = (Date.parse(status.finish_time ?? '') - Date.parse(status.start_time)) / 1_000;
  const { rssBytes, peakBytes } = after;
  return {
    copyRate: rows / copy.seconds,
    workerRate: rows / seconds,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    sinkSeconds: sinkAfter.cpuSeconds - sinkBefore.cpuSeconds,
    rssBytes,
    peakBytes,
  };
}

async function runTask({ described, workerUrl }: Bench, round: number): Promise<TaskStatus> {
  const task = {
    task_id: `bench-${round}`,
    run: 'bench',
    range_id: String(round),
    attempt: 1,
    worker_id: 'bench',
    definition: described.definition.name,
    definition_digest: describedDigest(described),
    targets: [
      {
        kind: 'bulk',
        definition: described.definition.name,
        definition_digest: describedDigest(described),
        index: 'bench',
        write_alias: 'bench-write-1',
        dead_letter_alias: 'bench-dead-letters-write-1',
      },
    ],
    start_index: null,
    end_index: null,
    max_bytes_in_flight: 64 * 1024 * 1024,
  };
  const accepted = await fetch(`${workerUrl}/reindexing_task`, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify(task),
  });
  if (accepted.status !== 202)
    throw new Error(`The worker answered ${accepted.status}: ${await accepted.text()}`);
  for (;;) {
    const response = await fetch(`${workerUrl}/task/${task.task_id}`, { headers: HEADERS });
    const status = taskStatusSchema.parse(await response.json());
    if (!status.active) return status;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function medianOf(rounds: readonly Round[]): Round {
  const middle = (name: keyof Round): number =>
    rounds.map((round) => round[name]).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? 0;
  return {
    copyRate: middle('copyRate'),
    workerRate: middle('workerRate'),
    cpuSeconds: middle('cpuSeconds'),
    sinkSeconds: middle('sinkSeconds'),
    rssBytes: middle('rssBytes'),
    peakBytes: middle('peakBytes'),
  };
}

function rowOf(
  name: string,
  { copyRate, workerRate, cpuSeconds, sinkSeconds, rssBytes, peakBytes }: Round,
): string {
  const cells: [string, number][] = [
    [Math.round(copyRate).toLocaleString('en'), 11],
    [Math.round(workerRate).toLocaleString('en'), 13],
    [(workerRate / copyRate).toFixed(2), 5],
    [cpuSeconds.toFixed(2), 12],
    [sinkSeconds.toFixed(2), 10],
    [megabytes(rssBytes), 6],
    [megabytes(peakBytes), 7],
  ];
  return `${name.padEnd(6)} ${cells.map(([text, width]) => text.padStart(width)).join('  ')}`;
}

function megabytes(bytes: number): string {
  return String(Math.round(bytes / 1e6));
}
