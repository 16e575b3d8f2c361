import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureMinute } from './measure.ts';
import { heading, medianMinute, minuteLine, ratioLine } from './table.ts';
import type { Minute } from './told.ts';

/**
 * A new user's first minute, `git clone` to promoted index, of this checkout's HEAD and of another commit, in turns, for
 * the machine's pace wanders. Each commit runs once before, unmeasured: the caches of npm and Maven are warm then.
 */
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
/** The commit before the first minute was looked at. */
const DEFAULT_COMMIT = '21b0c47';

async function main(signal: AbortSignal): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '3' } },
  });
  const rounds = Number(values.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new Error('--rounds is a whole number, 1 or more: how often each commit is measured');
  const there = resolveCommit(positionals[0] ?? DEFAULT_COMMIT);
  const here = resolveCommit('HEAD');
  const measure = (commit: string): Promise<Minute> =>
    measureMinute({ repository: REPOSITORY, commit, signal });

  console.log(`${here} (HEAD) and ${there}, ${rounds} rounds, ${availableParallelism()} cores`);
  for (const commit of [there, here]) {
    await measure(commit);
    console.log(`${commit} ran once to warm the caches of npm and Maven`);
  }
  console.log(`\n${heading()}`);
  const minutes = { there: [] as Minute[], here: [] as Minute[] };
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, commit] of [
      ['there', there],
      ['here', here],
    ] as const) {
      const minute = await measure(commit);
      minutes[name].push(minute);
      console.log(minuteLine(`${commit} round ${round}`, minute));
    }
  }
  const medians = { there: medianMinute(minutes.there), here: medianMinute(minutes.here) };
  console.log(minuteLine(`${there} median`, medians.there));
  console.log(minuteLine(`${here} median`, medians.here));
  console.log(ratioLine(medians.here, medians.there));
}

/** @throws Error if the repository has no such commit */
function resolveCommit(name: string): string {
  try {
    const args = ['rev-parse', '--short', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
    return execFileSync('git', args, { cwd: REPOSITORY, encoding: 'utf8' }).trim();
  } catch (error) {
    throw new Error(
      `This repository has no commit ${name}: name one that git log shows, or fetch it before.`,
      { cause: error },
    );
  }
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => interrupted.abort(new Error(`${name}: clone and cache are removed`)));
try {
  await main(interrupted.signal);
} catch (error) {
  const reason: unknown = interrupted.signal.aborted ? interrupted.signal.reason : error;
  console.error(reason instanceof Error ? reason.message : String(reason));
  process.exitCode = 1;
}
