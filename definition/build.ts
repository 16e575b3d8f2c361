import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { IndexDefinition } from './definition.ts';
import { digestDefinition, digestOf } from './digest.ts';
import { Failure } from './failure.ts';

/** The rooms whose sources decide what a worker does. */
const ROOMS = ['definition', 'worker'];

/**
 * The content of `build.json` beside a bundle: the digest of the sources that the bundle was made of (`sourcesDigest`).
 */
const bundleSchema = z.object({ sources: z.string().regex(/^[0-9a-f]{32}$/) });

/**
 * The build: what a worker would do with these definitions, as `<digest of the program>.<digest of the definitions>`. A
 * run gives work only to workers of the build that it was planned with.
 */
export async function buildDigest(definitions: readonly IndexDefinition[]): Promise<string> {
  return `${await programDigest()}.${digestOf(definitions.map(digestDefinition).sort())}`;
}

/**
 * The first part of each build of this program, as 32 hexadecimal characters: the digest of the sources of worker and
 * definitions, and of the lockfile. A bundle has no sources. It carries their digest in `build.json` beside it.
 */
export async function programDigest(): Promise<string> {
  return (await bundledDigest()) ?? (await sourcesDigest(fileURLToPath(new URL('..', import.meta.url))));
}

/** The digest of the sources under a checkout's root: the paths and contents of *.ts, and the lockfile. */
export async function sourcesDigest(root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of [...(await sourcePaths(root)), 'package-lock.json']) {
    const content = await readFile(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 32);
}

async function sourcePaths(root: string): Promise<string[]> {
  const rooms = await Promise.all(
    ROOMS.map(async (room) => {
      const entries = await readdir(join(root, room), { recursive: true });
      return entries
        .filter((entry) => entry.endsWith('.ts'))
        .map((entry) => join(room, entry).replaceAll('\\', '/'));
    }),
  );
  return rooms.flat().sort();
}

/** A bundle was changed after it was made. */
class BundleDamaged extends Failure {
  override readonly name = 'BundleDamaged';
  override readonly move = 'mend-and-repeat';
}

async function bundledDigest(): Promise<string | null> {
  try {
    const text = await readFile(new URL('build.json', import.meta.url), 'utf8');
    return bundleSchema.parse(JSON.parse(text)).sources;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new BundleDamaged('build.json beside this program is damaged: make the bundle again', {
      cause: error,
    });
  }
}
