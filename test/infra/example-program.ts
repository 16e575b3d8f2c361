import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inventedProvider, type Provider } from './provider.ts';
import type { StackConfiguration } from './program-run.ts';

/** examples/pulumi with what it needs to run. */

export const EXAMPLE_CONFIGURATION = {
  image: 'ami-0123456789abcdef0',
  staging: { search_url: 'https://search.staging.internal:9200' },
  production: { search_url: 'https://search.internal:9200' },
  staging_password: 'staging-secret',
  production_password: 'production/secret',
} as const satisfies StackConfiguration;

/** Ids and addresses say of which resource they are. */
export const exampleProvider: Provider = {
  create: async (registration) => {
    const { outputs } = await inventedProvider.create(registration);
    const { name } = registration;
    return {
      id: `id-of-${name}`,
      outputs: { arn: `arn-of-${name}`, ...outputs, address: `${name}.db.internal` },
    };
  },
  invoke: (token, args) =>
    token === 'aws:index/getAvailabilityZones:getAvailabilityZones'
      ? { names: ['eu-central-1a', 'eu-central-1b'] }
      : inventedProvider.invoke(token, args),
};

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const OWN_COPIES = ['pulumi', 'aws'];

export interface InstalledExample {
  readonly folder: string;
  remove(): Promise<void>;
}

/**
 * The example in a folder of its own, as `npm install` leaves it there: a link to the clone, and own copies of Pulumi's
 * packages beside it. What these need is linked, for it is the same.
 */
export async function installExample(): Promise<InstalledExample> {
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-example-'));
  const packages = join(folder, 'node_modules');
  const clones = join(REPOSITORY, 'node_modules');
  await cp(join(REPOSITORY, 'examples', 'pulumi'), folder, {
    recursive: true,
    filter: (path) => basename(path) !== 'node_modules',
  });
  await mkdir(join(packages, '@pulumi'), { recursive: true });
  await symlink(REPOSITORY, join(packages, 'reindex-fleet'), 'dir');
  for (const name of await readdir(clones))
    if (name !== '@pulumi' && !name.startsWith('.'))
      await symlink(join(clones, name), join(packages, name), 'dir');
  for (const name of OWN_COPIES)
    await cp(join(clones, '@pulumi', name), join(packages, '@pulumi', name), {
      recursive: true,
      filter: (path) => !/\.(map|d\.ts)$/.test(path),
    });
  return { folder, remove: () => rm(folder, { recursive: true }) };
}
