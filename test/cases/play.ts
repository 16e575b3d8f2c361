import { setTimeout as sleep } from 'node:timers/promises';
import type { NamedCase } from './find-cases.ts';
import type { Verdict } from './case.ts';
import { setStage, type Theatre } from './stage.ts';

/** A case that takes longer cannot end. */
const LIMIT_MS = 120_000;

/** Plays one case on a stage of its own, and gives its verdict. */
export async function playCase({ name, theCase }: NamedCase, theatre: Theatre): Promise<Verdict> {
  const stage = await setStage(theatre, `case${name.split('-')[0] ?? ''}`);
  const over = new AbortController();
  const late = sleep(LIMIT_MS, undefined, { signal: over.signal }).then(
    () => ({ got: `no end within ${LIMIT_MS / 1000} s`, ok: false }),
    () => ({ got: 'ended', ok: true }),
  );
  try {
    return await Promise.race([theCase.play(stage), late]);
  } catch (error) {
    return { got: `threw: ${error instanceof Error ? error.message : String(error)}`, ok: false };
  } finally {
    over.abort();
    await stage.clear();
  }
}
