import { cp, mkdtemp, rm } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildSweeper, bundleSweeper } from '../../infra/sweeper/bundle.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

describe('the bundle of the sweeper', { timeout: 60_000 }, () => {
  let built: Awaited<ReturnType<typeof buildSweeper>>;
  beforeAll(async () => {
    built = await buildSweeper(REPOSITORY);
  });

  it('imports nothing but Node’s own modules', () => {
    expect(built.imports.filter((name) => !isBuiltin(name))).toEqual([]);
  });

  it('contains only what a sweep needs: no worker, no plan, no search cluster, no command line', () => {
    const own = built.inputs.filter((file) => !file.startsWith('node_modules/'));
    expect(own.filter((file) => file.startsWith('worker/'))).toEqual(['worker/contract.ts']);
    expect(own.filter((file) => file.startsWith('embedded/'))).toEqual(['embedded/cache.ts']);
    expect(own.filter((file) => /^orchestrator\/(plan|index)\//.test(file))).toEqual([]);
    const packages = new Set(
      built.inputs.map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]),
    );
    for (const name of ['pg', 'undici', 'commander', 'hono', 'log-update', 'esbuild', '@pulumi/pulumi'])
      expect(packages).not.toContain(name);
  });

  it('is identical to the byte, wherever the repository lies', async (scope) => {
    const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-elsewhere-'));
    scope.onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const manifests = built.inputs.flatMap((file) => [...manifestsAbove(file)]);
    for (const file of new Set([...built.inputs, ...manifests, 'tsconfig.json']))
      await cp(join(REPOSITORY, file), join(folder, file), { recursive: true }).catch(ignoreAbsent);
    const elsewhere = await buildSweeper(folder);
    expect(elsewhere.code === built.code).toBe(true);
    expect((await bundleSweeper()) === built.code).toBe(true);
    expect(built.code).not.toContain(REPOSITORY);
  });

  it('names the licences of what it contains', () => {
    expect(built.code).toContain('Bundled license information');
  });
});

function* manifestsAbove(file: string): Generator<string> {
  const parts = file.split('/');
  for (let depth = 0; depth < parts.length; depth += 1)
    yield [...parts.slice(0, depth), 'package.json'].join('/');
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
