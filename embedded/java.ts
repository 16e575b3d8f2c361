import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findExecutable, isExecutable } from './executables.ts';

export interface Java {
  /** The `java` executable. */
  readonly path: string;
  /** E.g. `25.0.3`. */
  readonly version: string;
}

/** Where Linux distributions and macOS install Java, with the way from a version's folder to its `java`. */
const INSTALLATIONS = [
  { folder: '/usr/lib/jvm', java: 'bin/java' },
  { folder: '/Library/Java/JavaVirtualMachines', java: 'Contents/Home/bin/java' },
];

/**
 * Finds a Java of at least this major version. It looks at `OPENSEARCH_JAVA` (an executable) first, then at `JAVA_HOME`, `PATH`,
 * and the folders where systems install Java. Null: there is none.
 */
export async function findJava(leastMajor: number, environment: NodeJS.ProcessEnv): Promise<Java | null> {
  const found = await Promise.all(candidates(environment).map(describeJava));
  return found.find((java) => java !== null && Number.parseInt(java.version, 10) >= leastMajor) ?? null;
}

function candidates(environment: NodeJS.ProcessEnv): string[] {
  const named = environment['OPENSEARCH_JAVA'];
  const home = environment['JAVA_HOME'];
  const onPath = findExecutable('java', environment);
  const installed = INSTALLATIONS.flatMap(({ folder, java }) =>
    entries(folder).map((name) => join(folder, name, java)),
  );
  return [named, home && join(home, 'bin', 'java'), onPath, ...installed].filter(
    (path) => !!path && isExecutable(path),
  ) as string[];
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

async function describeJava(path: string): Promise<Java | null> {
  const version = (await versionFromRelease(path)) ?? (await versionFromRun(path));
  return version ? { path, version } : null;
}

/** Each Java names its version in a file `release` beside `bin`. Reading the file is faster than running Java. */
async function versionFromRelease(path: string): Promise<string | null> {
  const file = join(dirname(dirname(await realpath(path))), 'release');
  const text = await readFile(file, 'utf8').catch(() => '');
  return /^JAVA_VERSION="([^"]+)"/m.exec(text)?.[1] ?? null;
}

async function versionFromRun(path: string): Promise<string | null> {
  try {
    const { stderr } = await promisify(execFile)(path, ['-version'], { timeout: 10_000 });
    return /version "([^"]+)"/.exec(stderr)?.[1] ?? null;
  } catch {
    return null;
  }
}
