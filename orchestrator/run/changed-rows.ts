import { rangeFrom } from '../../definition/key/key-range.ts';
import { staleKeys } from '../index/stale-keys.ts';
import { tryAgain } from '../index/try-again.ts';
import { beginPass, fencePass } from '../passes/conduct-pass.ts';
import { changedSinceOf, type Cutoff, doubtWords } from '../reconcile/cutoff.ts';
import type { Stale } from '../reconcile/phase-records.ts';
import { keyKindOfRun, lastCutoff, passesOf } from '../reconcile/state.ts';
import { plural } from '../report/words.ts';
import { sideBySide } from '../side-by-side.ts';
import type { DescribedTarget, RunContext } from './context.ts';

/** One process beside the orchestrator reads this many rows within minutes. */
const MOST_ROWS_BESIDE = 100_000;
/** After a pass of fewer rows, few can have changed meanwhile. */
const SHORT_PASS_ROWS = 1_000;

/** Takes the cutoff of a reading that is to begin. Null where no `changed_at` says which rows change later. */
export async function takeCutoff(context: RunContext): Promise<Cutoff | null> {
  const [target] = context.targets;
  if (context.targets.some(({ described }) => described.definition.source.changedAt === null)) return null;
  return context.connections.withChangesSource(target.described, (source) =>
    tryAgain(() => source.cutoff(), context),
  );
}

/**
 * Reads rows again that have changed since they were read. It goes on until a pass was short, or until it has made as
 * many passes as the settings allow. Without `changed_at` it does nothing.
 */
export async function readChangedRows(context: RunContext): Promise<void> {
  const { journal, offline, identity, reporter } = context;
  for (let left = offline.settings.validate.changed_rows_passes; left > 0; left -= 1) {
    const before = lastCutoff(passesOf(journal.state));
    const cutoff = before === null ? null : await takeCutoff(context);
    if (before === null || cutoff === null) return;
    const changed = await changedSince(context, before);
    const rows = Math.max(...changed.map((target) => target.rows));
    if (rows === 0) return;
    reporter.note(`${plural(rows, 'row')} changed since they were read, and are read again`);
    await beginPass(context, {
      kind: 're-reading',
      reads: {
        kind: 'changed-since',
        since: changedSinceOf(before),
        numbers: [...new Set(changed.flatMap(({ numbers }) => numbers))],
        rows,
      },
      targets: identity.targets.map(({ index }) => index),
      workers: rows <= MOST_ROWS_BESIDE ? 'beside' : 'fleet',
      cutoff,
    });
    await fencePass(context);
    if (rows <= SHORT_PASS_ROWS) return;
  }
}

/** How many rows of a target are not in the index as they are in the table now. Null without `changed_at`. */
export async function staleIn(context: RunContext, target: DescribedTarget): Promise<Stale | null> {
  if (target.described.definition.source.changedAt === null) return null;
  const cutoff = lastCutoff(passesOf(context.journal.state));
  if (cutoff === null)
    return { rows: null, since: null, remark: 'an earlier version read the rows and took no cutoff' };
  const { rows } = await changedIn(context, target, cutoff);
  const remarks = [doubtWords(cutoff), await unseenWords(context, target)].filter(
    (remark) => remark !== null,
  );
  return { rows, since: cutoff.oldest, ...(remarks.length === 0 ? {} : { remark: remarks.join('; ') }) };
}

/** Says how many rows may have changed without a sign of it. Null when none. */
async function unseenWords(context: RunContext, { described }: DescribedTarget): Promise<string | null> {
  const rows = await context.connections.withChangesSource(described, (source) =>
    tryAgain(() => source.unseenRows(), context),
  );
  if (rows === 0) return null;
  const which =
    described.definition.source.unusableChangedAt === 'lowest_version'
      ? 'null, infinite, before 1970 or in the future'
      : 'in the future';
  return rows === null
    ? `rows whose changed_at is ${which} could not be counted, and later updates of them are not seen`
    : `${plural(rows, 'row')} ${rows === 1 ? 'has' : 'have'} a changed_at that is ${which}, and later updates of ${rows === 1 ? 'it' : 'them'} are not seen`;
}

interface ChangedRows {
  readonly rows: number;
  /** The numbers of the planned ranges that hold them. */
  readonly numbers: readonly string[];
}

async function changedSince(context: RunContext, cutoff: Cutoff): Promise<ChangedRows[]> {
  const changed: ChangedRows[] = [];
  for (const target of context.targets) changed.push(await changedIn(context, target, cutoff));
  return changed;
}

async function changedIn(context: RunContext, target: DescribedTarget, cutoff: Cutoff): Promise<ChangedRows> {
  const { connections, journal, offline, clock, signal } = context;
  const { cluster } = connections;
  const { described } = target;
  const kind = keyKindOfRun(journal.state);
  const ranges = journal.state.plan?.ranges ?? [];
  const counted = await connections.withChangesSource(described, (source) =>
    sideBySide(ranges, offline.settings.validate.concurrency, (range) =>
      tryAgain(async () => {
        signal.throwIfAborted();
        let rows = 0;
        const question = { cluster, source, described, names: target, cutoff, clock, signal };
        for await (const keys of staleKeys(question, rangeFrom(kind, range))) rows += keys.length;
        return { number: range.number, rows };
      }, context),
    ),
  );
  return {
    rows: counted.reduce((sum, { rows }) => sum + rows, 0),
    numbers: counted.flatMap(({ number, rows }) => (rows > 0 ? [number] : [])),
  };
}
