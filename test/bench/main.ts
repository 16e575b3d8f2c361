import { mkdtemp, rm } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { cacheDirectory, dataDirectory } from '../../embedded/cache.ts';
import { startPostgresql } from '../../embedded/postgresql.ts';
import { measureAgainst } from './against.ts';
import { measureAgainstCopy } from './against-copy.ts';
import { Build } from './build.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { type ComparisonPlace, comparePeers } from './peers/compare.ts';
import { usageOf } from './process-usage.ts';
import { COLUMN_COUNT, sampleTable } from './sample-table.ts';
import { type NullSink, startNullSink } from './sinks/null.ts';

/**
 * How fast one worker is: against what people would take instead, with `--against DIR` against the worker of another
 * checkout, with `--copy` against PostgreSQL's own COPY. In turns, for the machine's pace wanders.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROWS = 1_000_000;
const ROUNDS = 5;

enableCompileCache();
await main(readOptions(process.argv.slice(2)));

async function main(options: BenchOptions): Promise<void> {
  if (process.platform !== 'linux')
    throw new Error(`The bench reads /proc, which ${process.platform} lacks: run it on Linux.`);
  const cacheDir = cacheDirectory(process.env);
  const postgresql = await startPostgresql({
    cacheDir,
    dataDir: join(dataDirectory(cacheDir), 'bench', 'postgresql'),
    settings: { shared_buffers: '2GB', max_wal_size: '8GB' },
  });
  const client = new Client({ connectionString: postgresql.url });
  try {
    await client.connect();
    const databaseCpuSeconds = async (): Promise<number> => (await usageOf(postgresql.pid)).cpuSeconds;
    const place = { client, databaseUrl: postgresql.url, databaseCpuSeconds, cacheDir };
    if (options.copy || options.against !== undefined) await compareBuilds(place, options);
    else await comparePeers(place, options);
  } finally {
    await client.end();
    await postgresql.stop();
  }
}

/** One build of this project against another, or against COPY, over a null sink. */
async function compareBuilds({ client, databaseUrl }: ComparisonPlace, options: BenchOptions): Promise<void> {
  const { documents: rows = ROWS, rounds = ROUNDS, against } = options;
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-bench-'));
  const parts: { stop(): Promise<void> }[] = [];
  const owned = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
    parts.push(part);
    return part;
  };
  try {
    const table = await sampleTable(client, rows);
    console.log(
      `${rows.toLocaleString('en')} rows of ${COLUMN_COUNT} columns; ${availableParallelism()} cores for PostgreSQL, workers and sinks`,
    );
    const start = async (name: string, root: string, sink: NullSink): Promise<Build> =>
      owned(await Build.start({ name, root, table, client, databaseUrl, sinkUrl: sink.url, folder }));
    const sink = owned(await startNullSink());
    if (against === undefined) {
      const build = await start('here', ROOT, sink);
      const database = { connectionString: databaseUrl };
      return await measureAgainstCopy({ build, sink, database }, rows, rounds);
    }
    const other = owned(await startNullSink());
    await measureAgainst({
      here: () => start('here', ROOT, sink),
      there: () => start('there', against, other),
      rows,
      rounds,
    });
  } finally {
    for (const part of parts.reverse()) await part.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
