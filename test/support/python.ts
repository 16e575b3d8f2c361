import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findExecutable } from '../../embedded/executables.ts';

/** A Python that can run what tests and the bench need, and has pip. */
export interface Python {
  /** The interpreter itself, not a script that chooses one. */
  readonly path: string;
  /** What compiled packages depend on, e.g. `cpython-311-x86_64-linux-gnu`. */
  readonly abi: string;
}

/** Moto 5 and opensearch-py 3 want Python 3.10 or later (`Requires-Python` of both). */
export const LEAST_PYTHON = '3.10';
/** The usual name first, then versions, newest first. */
const NAMES = ['python3', ...[14, 13, 12, 11, 10].map((minor) => `python3.${minor}`)];
/** Older ones print `false`; a version manager's stand-in for a version that is not chosen fails. */
const QUESTION = `
import importlib.util, json, sys, sysconfig
fits = sys.version_info >= (3, 10) and importlib.util.find_spec("pip") is not None
abi = (sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag) + "-" + sysconfig.get_platform()
print(json.dumps(fits and {"path": sys.executable, "abi": abi}))`;

/** The first fitting Python on `PATH`; null if there is none. */
export async function findPython(environment: NodeJS.ProcessEnv): Promise<Python | null> {
  for (const name of NAMES) {
    const path = findExecutable(name, environment);
    const python = path === null ? null : await describe(path);
    if (python) return python;
  }
  return null;
}

async function describe(path: string): Promise<Python | null> {
  try {
    const { stdout } = await promisify(execFile)(path, ['-c', QUESTION], { timeout: 20_000 });
    return (JSON.parse(stdout) as Python | false) || null;
  } catch {
    return null;
  }
}
