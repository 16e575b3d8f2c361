import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publishFolder } from '../../embedded/published-folder.ts';
import { findPython, LEAST_PYTHON } from './python.ts';

const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));
/** 114 MB unpacked; it took 19 s on a slow machine with a fast line. */
const INSTALL_TIMEOUT_MS = 10 * 60_000;

export interface MotoInstallation {
  /** The Python that runs it. */
  readonly python: string;
  /** The folder with its packages, for `PYTHONPATH`. */
  readonly packages: string;
}

/**
 * Moto is an AWS API in a Python process. This returns the one in the cache, and installs it there by pip if it is missing. If
 * this machine cannot have it, it returns a sentence that says why.
 *
 * The packages are in a plain folder (`pip install --target`), not in a virtual environment. A plain folder can be renamed, so
 * the one in the cache is always whole. Other requirements, or a Python with other compiled packages, have another folder.
 */
export async function installMoto(
  cacheDir: string,
  environment: NodeJS.ProcessEnv,
): Promise<MotoInstallation | { readonly missing: string }> {
  const python = await findPython(environment);
  if (!python)
    return { missing: `moto needs a Python ${LEAST_PYTHON} or later with pip, which this machine lacks` };
  const packages = join(cacheDir, 'moto', `${await requirementsDigest()}-${python.abi}`);
  try {
    if (!existsSync(packages)) await publishFolder(packages, (work) => install(python.path, work));
    return { python: python.path, packages };
  } catch (error) {
    return { missing: (error as Error).message };
  }
}

async function requirementsDigest(): Promise<string> {
  return createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex')
    .slice(0, 16);
}

async function install(python: string, work: string): Promise<string> {
  const packages = join(work, 'packages');
  // Without dependencies: requirements.txt names all that a server needs, and leaves out half of what moto would draw in.
  const options = ['--no-deps', '--quiet', '--disable-pip-version-check'];
  const args = ['-m', 'pip', 'install', ...options, '--target', packages, '--requirement', REQUIREMENTS];
  try {
    await promisify(execFile)(python, args, { cwd: work, timeout: INSTALL_TIMEOUT_MS });
    return packages;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const words = stderr.split('\n').filter((line) => line.startsWith('ERROR'));
    throw new Error(`pip could not install moto: ${words[0] ?? (error as Error).message}`, { cause: error });
  }
}
