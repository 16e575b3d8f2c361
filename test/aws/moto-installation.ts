import { fileURLToPath } from 'node:url';
import { installPythonPackages, type PythonPackages } from '../support/python-packages.ts';

/** All that a server needs, without half of what moto would draw in: 114 MB unpacked. */
const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));

/**
 * Moto, an AWS API in a Python process, from the cache or by pip. Otherwise the sentence that says why this machine
 * cannot have it.
 */
export async function installMoto(
  cacheDir: string,
  environment: NodeJS.ProcessEnv,
): Promise<PythonPackages | { readonly missing: string }> {
  return await installPythonPackages({ cacheDir, name: 'moto', requirements: REQUIREMENTS, environment });
}
