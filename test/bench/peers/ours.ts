import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from 'pg';
import { Build } from '../build.ts';
import type { Arm } from './arm.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** One worker of this checkout, given the rows as one task over HTTP. */
export function ourArm(client: Client): Arm {
  return {
    name: 'reindex-fleet',
    family: 'ours',
    way: 'one worker of this checkout, given all rows as one task',
    refusal: () => null,
    start: async ({ databaseUrl, sinkUrl, table, rows }) => {
      const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-bench-'));
      const build = await Build.start({
        name: 'here',
        root: ROOT,
        table,
        client,
        databaseUrl,
        sinkUrl,
        folder,
      });
      return {
        run: async () => (await build.run(rows)).seconds,
        usage: () => build.usage(),
        stop: async () => {
          await build.stop();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}
