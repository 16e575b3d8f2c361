/**
 * Node says `beforeExit` when nothing is left to do, and says it again whenever a listener has found something to do
 * then. Pulumi's runner listens too: at the second time it tells the engine that the program is done, and waits until
 * the engine has done all steps. So Node says it a third time only after them. This many leave room for a runner that
 * lets some more go by first.
 */
const TIMES_BEFORE_THE_END = 10;

/** What is still to be done; of all fleets of a program. */
const works: (() => Promise<void>)[] = [];

/**
 * Does some work when everything else is done, the engine's steps included. Not when the process is ended by an error,
 * a signal or `process.exit`.
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
