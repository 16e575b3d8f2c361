import { randomBytes } from 'node:crypto';
import type { TaskRequest } from '../../worker/contract.ts';
import { RunFailed } from '../errors.ts';
import { LocalFleet } from '../fleet/local-fleet.ts';
import { WorkerClient } from '../fleet/worker-client.ts';
import { passAliases, targetNames } from '../index/names.ts';
import type { Limits } from '../reconcile/draft.ts';
import type { PhaseRecord, PlannedRange } from '../reconcile/events.ts';
import { type RangeState, totalCounts } from '../reconcile/state.ts';
import { beginEta, nextEta } from '../report/eta.ts';
import { snapshotOf } from '../report/progress.ts';
import { countWords, plural } from '../report/words.ts';
import { sleep } from '../lifetime.ts';
import type { RunContext } from './context.ts';
import { runPass } from './reindex-pass.ts';
import { urlWithPassword } from './source-connection.ts';

/** The main pass: every planned range, read once. */
export async function reindexPhase(context: RunContext): Promise<{ record: PhaseRecord; note: string }> {
  const { journal } = context;
  await journal.append([
    journal.state.pass === 0
      ? { type: 'pass_opened', pass: 1, ranges: context.ranges }
      : { type: 'pass_resumed' },
  ]);
  const startMs = performance.now();
  const before = totalCounts(journal.state).rowsRead;
  await workPass(context);
  const counts = totalCounts(journal.state);
  const seconds = (performance.now() - startMs) / 1000;
  const rate = Math.round((counts.rowsRead - before) / seconds);
  const dead = counts.deadLetters === 0 ? '' : `, ${plural(counts.deadLetters, 'dead letter')}`;
  return {
    record: { ...counts, documents_per_second: rate, workers: context.offline.settings.workers.count },
    note: `${plural(counts.rowsRead, 'row')} read, ${countWords(counts.indexed)} indexed${dead} (${countWords(rate)} documents/s)`,
  };
}

/** Brings workers up for the ranges of the journal's present pass and back to zero, however it ends. */
export async function workPass(context: RunContext): Promise<void> {
  const { offline, journal, lock, identity, reporter } = context;
  const { workers } = offline.settings;
  const token = randomBytes(24).toString('hex');
  const fleet = new LocalFleet({
    run: identity.run,
    epoch: lock.epoch,
    pass: journal.state.pass,
    environment: workerEnvironment(context, token),
  });
  const client = new WorkerClient({
    run: identity.run,
    epoch: lock.epoch,
    token,
    timeoutMs: workers.call_timeout_ms,
  });
  let eta = beginEta(performance.now(), totalCounts(journal.state).rowsRead);
  try {
    await runPass({
      journal,
      fleet,
      client,
      limits: limitsOf(context),
      taskOf: (range) => taskOf(context, range),
      pollIntervalMs: workers.poll_interval_ms,
      monotonicMs: () => performance.now(),
      sleep,
      onTick: (state, memory, observation) => {
        const snapshot = snapshotOf(state, memory, observation);
        const { counts, rowsExpected, waitingFor } = snapshot;
        const next = nextEta(eta, performance.now(), {
          rows: counts.rowsRead,
          rowsExpected,
          waiting: waitingFor.length > 0,
        });
        eta = next.state;
        reporter.progress({ ...snapshot, estimate: next.estimate });
      },
      signal: context.signal,
    });
  } finally {
    await Promise.all([fleet.close(), client.close()]);
  }
  const { stopped } = journal.state;
  if (stopped !== null)
    throw new RunFailed(
      `${stopped}\nThe fleet is at zero. Mend this and run the same command again: it carries on from what is settled.`,
    );
}

/**
 * The ranges of the main pass, numbered. In a pass that reads again they keep their number and get that pass's `p2-`, so
 * that no task is ever mistaken for one of another pass.
 */
export function plannedRanges(ranges: readonly Omit<PlannedRange, 'id'>[]): PlannedRange[] {
  const width = String(ranges.length).length;
  return ranges.map((range, i) => ({ id: `p1-${String(i + 1).padStart(width, '0')}`, ...range }));
}

function taskOf({ described, journal, identity, offline }: RunContext, range: RangeState): TaskRequest {
  const names = targetNames(identity.alias, identity.run);
  const aliases = passAliases(names, journal.state.pass);
  return {
    task_id: range.task ?? '',
    run: identity.run,
    range_id: range.id,
    attempt: range.attempt,
    worker_id: range.instance ?? '',
    definition: described.definition.name,
    definition_digest: identity.definitionDigest,
    targets: [
      { index: names.index, write_alias: aliases.writeAlias, dead_letter_alias: aliases.deadLetterAlias },
    ],
    start_index: range.start,
    end_index: range.end,
    max_bytes_in_flight: shareOf(offline.settings.workers),
  };
}

/** What one worker may have in flight, so that all of them stay below the run's ceiling. */
function shareOf(workers: { max_bytes_in_flight: number; count: number }): number {
  return Math.max(1, Math.floor(workers.max_bytes_in_flight / workers.count));
}

function workerEnvironment({ offline, connections }: RunContext, token: string): Record<string, string> {
  const { settings } = offline;
  const { targetPassword, targetApiKey } = settings.secrets;
  return {
    REINDEX_WORKER_HOST: '127.0.0.1',
    REINDEX_WORKER_PORT: '0',
    REINDEX_WORKER_TOKEN: token,
    REINDEX_WORKER_DATABASE_URL: urlWithPassword(connections.sourceAddress),
    REINDEX_WORKER_SEARCH_URL: connections.targetUrl,
    ...(settings.target.username === null || targetPassword === null
      ? {}
      : {
          REINDEX_WORKER_SEARCH_USERNAME: settings.target.username,
          REINDEX_WORKER_SEARCH_PASSWORD: targetPassword,
        }),
    ...(targetApiKey === null ? {} : { REINDEX_WORKER_SEARCH_API_KEY: targetApiKey }),
    REINDEX_WORKER_DEFINITIONS: settings.definitions,
    REINDEX_WORKER_LEASE_MS: String(settings.workers.lease_ms),
    REINDEX_WORKER_EXIT_WITH_PARENT: 'true',
  };
}

function limitsOf({ offline, described }: RunContext): Limits {
  const { workers } = offline.settings;
  return {
    workers: workers.count,
    replacements: workers.replacements,
    attempts: workers.attempts,
    build: offline.build,
    stopLimit: described.definition.deadLetters.stopLimit,
    readyTimeoutMs: workers.ready_timeout_ms,
    lostAfterMs: workers.lost_after_ms,
    stallTimeoutMs: workers.stall_timeout_ms,
    waitingTimeoutMs: workers.waiting_timeout_ms,
    terminateTimeoutMs: 15_000,
  };
}
