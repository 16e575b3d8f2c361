import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningCommand } from './run-command.ts';
import type { RunSetup } from './run-setup.ts';
import type { ProxiedCall, SearchProxy } from './run-proxy.ts';

/** A moment at which a command is killed by SIGKILL: right before or after a durable effect of it. */
export interface CrashPoint {
  /** An object of its journal comes into being, or the search node is changed. */
  readonly effect: 'journal' | 'cluster';
  /** Which of the command's effects of this kind, from 1 on. */
  readonly nth: number;
  /** `after`: the effect has happened, but the command does not know. */
  readonly when: 'before' | 'after';
}

export function pointWords({ effect, nth, when }: CrashPoint): string {
  return `${when} ${effect} ${nth}`;
}

/** Runs a command until a crash point kills it. False: it ended before the crash point. */
export async function crash(
  setup: RunSetup,
  proxy: SearchProxy,
  point: CrashPoint,
  start: () => RunningCommand,
): Promise<boolean> {
  if (point.effect === 'journal')
    await setup.failJournal({ call: 'link', nth: point.nth, when: point.when, what: 'SIGKILL' });
  const command = start();
  const kill = async (): Promise<void> => {
    command.child.kill('SIGKILL');
    await command.ended;
  };
  let changes = 0;
  let last: ProxiedCall | null = null;
  proxy.beforeCall = async (call) => {
    if (isChange(call)) changes += 1;
    if (point.effect !== 'cluster' || !isChange(call) || changes !== point.nth) return true;
    last = call;
    if (point.when === 'after') return true;
    await kill();
    return false;
  };
  proxy.beforeAnswer = async (call) => {
    if (call === last) await kill();
  };
  const { code } = await command.ended;
  await setup.failJournal(null);
  proxy.beforeCall = () => Promise.resolve(true);
  proxy.beforeAnswer = () => Promise.resolve();
  return code === null;
}

export function pointsOf(effect: CrashPoint['effect'], count: number): CrashPoint[] {
  return Array.from({ length: count }, (_, i) => i + 1).flatMap((nth) =>
    (['before', 'after'] as const).map((when): CrashPoint => ({ effect, nth, when })),
  );
}

/** Whether a call changes the search node; those of workers are `_bulk`. */
export function isChange({ method, path }: ProxiedCall): boolean {
  return method !== 'GET' && !/\/_(search|count|mget)\b/.test(path);
}

/** The content of one object of a journal: `lock`, `claim`, or a segment's types of events. */
export type Written = readonly string[];

/** The objects of a journal in the order in which they came into being. */
export async function writtenIn({ journal }: RunSetup): Promise<Written[]> {
  const names = await readdir(journal, { recursive: true });
  const objects = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => {
        const path = join(journal, name);
        const { birthtimeNs } = await stat(path, { bigint: true });
        return { at: birthtimeNs, says: sayingOf(name, await readFile(path, 'utf8')) };
      }),
  );
  return objects.sort((a, b) => Number(a.at - b.at)).map(({ says }) => says);
}

function sayingOf(name: string, body: string): Written {
  if (name.startsWith('locks')) return ['lock'];
  if (name.startsWith('claims')) return ['claim'];
  if (name.endsWith('/definitions.json')) return ['definitions'];
  const { events } = JSON.parse(body) as { events: { type: string; phase?: string }[] };
  return events.map(({ type, phase }) => (phase === undefined ? type : `${type} ${phase}`));
}
