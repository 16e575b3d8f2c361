import { z } from 'zod';

/** What a first minute took, in seconds. */
export interface Minute {
  /** As the command tells it. */
  readonly install: number;
  /** As the command tells it: fetching and starting database and search node. */
  readonly services: number;
  /** As the command tells it: the sum of the run's phases. */
  readonly run: number;
  /** From the clone until the alias serves the new index. */
  readonly promoted: number;
  /** From the clone until the command has ended, and with it all that it started. */
  readonly ended: number;
}

const phaseSchema = z.object({
  phase: z.string(),
  seconds: z.number(),
  msg: z.literal('phase finished'),
});
const resultSchema = z.object({
  status: z.literal('done'),
  phase_seconds: z.record(z.string(), z.number()),
});

/** A line of the command's output and when it came, in seconds since the clone began. */
export interface ToldLine {
  readonly text: string;
  readonly at: number;
}

/**
 * Reads a first minute from what `npm run reindex` writes where its output is no terminal.
 *
 * @param ended when the command ended, in seconds since the clone began
 * @returns null if a part is not told
 */
export function readMinute(lines: readonly ToldLine[], ended: number): Minute | null {
  const phases = lines.flatMap(({ text, at }) => {
    const phase = phaseSchema.safeParse(parseJson(text));
    return phase.success ? [{ ...phase.data, at }] : [];
  });
  const services = phases.find(({ phase }) => phase === 'services')?.seconds;
  const promoted = phases.find(({ phase }) => phase === 'promote')?.at;
  const install = lines.map(({ text }) => installSeconds(text)).find((seconds) => seconds !== null) ?? null;
  const result = resultSchema.safeParse(parseJson(lines.at(-1)?.text ?? ''));
  if (services === undefined || promoted === undefined || install === null || !result.success) return null;
  const run = Object.values(result.data.phase_seconds).reduce((sum, seconds) => sum + seconds, 0);
  return { install, services, run, promoted, ended };
}

function installSeconds(text: string): number | null {
  const seconds = /packages installed in (\d+\.\d) s/.exec(text)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // npm's and the installation's lines are for people
  }
}
