import { mkdtemp, rm } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { copyStatement } from '../../definition/sql.ts';
import { cacheDirectory, dataDirectory } from '../../embedded/cache.ts';
import { startPostgresql } from '../../embedded/postgresql.ts';
import { measureAgainst } from './against.ts';
import { measureAgainstCopy } from './against-copy.ts';
import { Build } from './build.ts';
import { discardCopy } from './copy-rate.ts';
import { COLUMN_COUNT, sampleTable } from './sample-table.ts';

/**
 * Measures how fast one worker is, against PostgreSQL's own COPY or, with `--against DIR`, against the worker of another
 * checkout. They take turns, because the machine's pace varies. Everything is real except the search cluster. That is a
 * process that answers and forgets.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    against: { type: 'string' },
  },
});
enableCompileCache();
await main(Number(values.rows), Number(values.rounds), values.against ?? null);

async function main(rows: number, rounds: number, against: string | null): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-bench-'));
  const cacheDir = cacheDirectory(process.env);
  const postgresql = await startPostgresql({
    cacheDir,
    dataDir: join(dataDirectory(cacheDir), 'bench', 'postgresql'),
    settings: { shared_buffers: '2GB', max_wal_size: '8GB' },
  });
  const database = { connectionString: postgresql.url };
  const client = new Client(database);
  const builds: Build[] = [];
  try {
    await client.connect();
    const table = await sampleTable(client, rows);
    const start = async (name: string, root: string): Promise<Build> => {
      const build = await Build.start({ name, root, table, client, databaseUrl: postgresql.url, folder });
      builds.push(build);
      return build;
    };
    const here = await start('here', ROOT);
    const sample = await discardCopy(database, copyStatement(here.described, { start: 1n, end: 1_001n }));
    console.log(
      `${rows.toLocaleString('en')} rows of ${COLUMN_COUNT} columns, ${Math.round(sample.bytes / Math.min(rows, 1_000))} bytes each; ${availableParallelism()} cores for PostgreSQL, worker and sink`,
    );
    if (against === null) return await measureAgainstCopy(here, database, rows, rounds);
    await here.stop();
    await measureAgainst({
      here: () => start('here', ROOT),
      there: () => start('there', against),
      rows,
      rounds,
    });
  } finally {
    for (const build of builds) await build.stop();
    await client.end();
    await postgresql.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
