import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publishFolder } from '../../embedded/published-folder.ts';
import { findPython, LEAST_PYTHON } from './python.ts';

const INSTALL_TIMEOUT_MS = 10 * 60_000;

export interface PythonPackages {
  /** The Python that they are for. */
  readonly python: string;
  /** The folder with the packages, for `PYTHONPATH`. */
  readonly packages: string;
}

export interface WantedPackages {
  readonly cacheDir: string;
  /** The folder in the cache, and the name in messages. */
  readonly name: string;
  /** A file that pins every package, those that others need among them. */
  readonly requirements: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Python packages from the cache; installed there by pip if they are not there yet. Otherwise the sentence that says why
 * this machine cannot have them.
 *
 * They lie in a plain folder (`pip install --target`), not in a virtual environment, for that can be renamed, so that
 * what lies in the cache is whole. Other requirements, or a Python that needs other compiled ones, have another folder.
 */
export async function installPythonPackages({
  cacheDir,
  name,
  requirements,
  environment,
}: WantedPackages): Promise<PythonPackages | { readonly missing: string }> {
  const python = await findPython(environment);
  if (!python)
    return { missing: `${name} needs a Python ${LEAST_PYTHON} or later with pip, which this machine lacks` };
  const packages = join(cacheDir, name, `${await digestOf(requirements)}-${python.abi}`);
  try {
    if (!existsSync(packages))
      await publishFolder(packages, (work) => install(python.path, { name, requirements }, work));
    return { python: python.path, packages };
  } catch (error) {
    return { missing: (error as Error).message };
  }
}

async function digestOf(requirements: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 16);
}

async function install(
  python: string,
  { name, requirements }: Pick<WantedPackages, 'name' | 'requirements'>,
  work: string,
): Promise<string> {
  const packages = join(work, 'packages');
  // Without dependencies: the requirements name all that is needed, and leave out what is drawn in but never used.
  // Prebuilt packages alone: nothing is compiled here.
  const options = ['--no-deps', '--only-binary=:all:', '--quiet', '--disable-pip-version-check'];
  const args = ['-m', 'pip', 'install', ...options, '--target', packages, '--requirement', requirements];
  try {
    await promisify(execFile)(python, args, { cwd: work, timeout: INSTALL_TIMEOUT_MS });
    return packages;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const words = stderr.split('\n').filter((line) => line.startsWith('ERROR'));
    throw new Error(`pip could not install ${name}: ${words[0] ?? (error as Error).message}`, {
      cause: error,
    });
  }
}
