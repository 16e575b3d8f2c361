import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of a command as a shell would find it by `PATH`, or null. */
export function findExecutable(name: string, environment: NodeJS.ProcessEnv): string | null {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
