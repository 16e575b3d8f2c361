/**
 * Node emits `beforeExit` when nothing is left to do, and again whenever a listener has found more to do. Pulumi's runner
 * listens too. At the second event it tells the engine that the program is done, and waits until the engine has done all
 * steps. So a third event comes only after these steps. This number leaves room for a runner that waits for some more events.
 */
const TIMES_BEFORE_THE_END = 10;

/** The work that is still to be done, for all fleets of a program. */
const works: (() => Promise<void>)[] = [];

/**
 * Does some work when everything else is done, the engine's steps included. It does nothing if an error, a signal or
 * `process.exit` ends the process.
 */
export function atTheVeryEnd(work: () => Promise<void>): void {
  works.push(work);
  if (works.length === 1) listenForTheEnd();
}

function listenForTheEnd(): void {
  let times = 0;
  const listen = (): void => {
    times += 1;
    if (times < TIMES_BEFORE_THE_END) {
      setImmediate(() => {}); // Something to do, so that Node says it once more.
      return;
    }
    process.off('beforeExit', listen);
    for (const last of works.splice(0)) void last();
  };
  process.on('beforeExit', listen);
}
