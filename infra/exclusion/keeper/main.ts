import { once } from 'node:events';
import { engineEnd } from './engine-end.ts';
import { keepOn } from './keep-on.ts';
import { type KeptLock, keptLockSchema, READY } from './kept-lock.ts';

/**
 * The process that `startKeeper` starts. While the program lives, it only listens which locks the program holds. When the
 * program has ended and its engine still works, it goes on with these locks until the engine has ended.
 *
 * Its argument is the engine's address.
 */
const [, , address = ''] = process.argv;
const locks: KeptLock[] = [];
process.on('message', (message) => locks.push(keptLockSchema.parse(message)));
const ended = engineEnd(address);
const programEnded = once(process, 'disconnect');
process.send?.(READY);
await programEnded;
await Promise.all(locks.map((lock) => keepOn(lock, ended)));
process.exit();
