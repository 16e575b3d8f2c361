import { chmod, chown, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** `nobody` of Linux; initdb wants a user that the password file knows. */
const NOBODY = 65534;

export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user of the services. PostgreSQL and OpenSearch refuse to run as root, so root's run as nobody. Undefined: this user. */
export function unprivilegedUser(): ProcessUser | undefined {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined;
}

/** Gives a file or folder to the user that the services run as. */
export async function giveToService(path: string): Promise<void> {
  const user = unprivilegedUser();
  if (user) await chown(path, user.uid, user.gid);
}

/** Makes a folder that every user can enter and read, with its missing parents. The umask has no effect. */
export async function makeReadableDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let folder = path; folder.startsWith(first); folder = dirname(folder)) await chmod(folder, 0o755);
}

/** Makes a folder that belongs to the user that the services run as. */
export async function makeServiceDirectory(path: string): Promise<void> {
  await makeReadableDirectory(path);
  await giveToService(path);
}
