import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cacheDirectory } from '../../embedded/cache.ts';
import { startPostgresql } from '../../embedded/postgresql.ts';
import { createServiceFolder } from '../support/services.ts';

const cacheDir = cacheDirectory(process.env);
let folder: ReturnType<typeof createServiceFolder>;

beforeEach(() => {
  folder = createServiceFolder();
});
afterEach(() => folder.remove());

test('the embedded PostgreSQL requires its password, keeps it to its user, and accepts settings', async () => {
  const server = await startPostgresql({
    cacheDir,
    dataDir: folder.path,
    settings: { max_prepared_transactions: '7' },
  });
  try {
    const client = new Client({ connectionString: server.url });
    await client.connect();
    const { rows } = await client.query('SHOW max_prepared_transactions');
    await client.end();
    expect(rows).toEqual([{ max_prepared_transactions: '7' }]);

    const stranger = new Client({ connectionString: server.url.replace(/:[^:@]+@/, ':wrong@') });
    await expect(stranger.connect()).rejects.toThrow('password authentication failed');
    expect(readFileSync(server.passwordFile, 'utf8')).toHaveLength(24);
  } finally {
    await server.stop();
  }
});

test('the embedded PostgreSQL says why it cannot start, with the end of its log', async () => {
  const start = startPostgresql({ cacheDir, dataDir: folder.path, settings: { work_mem: 'a lot' } });
  await expect(start).rejects.toThrow(
    /PostgreSQL ended while starting[^]*invalid value for parameter "work_mem"/,
  );
});
