import type { IndexDefinition } from '../../definition/definition.ts';
import type { Clock } from '../clock.ts';
import { RunFailed } from '../errors.ts';
import { runInBackground } from './background-task.ts';
import { read } from './cluster-error.ts';
import { mostSegments } from './copies.ts';
import type { SearchCalls } from './search-calls.ts';
import { liftWriteBlock } from './create.ts';
import { indexHealth } from './index-health.ts';
import { describeIndex } from './index-meta.ts';
import { passAliases, type TargetNames } from './names.ts';

export interface FinalizeOptions {
  /** The longest wait for the health that the definition asks for. */
  readonly healthTimeoutMs: number;
  /** Called with what is waited for: once with the health that is missing, and now and then for a long merge. */
  readonly onWait?: (words: string) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A pass that ends on one target. */
export interface EndingPass {
  readonly definition: IndexDefinition;
  readonly names: TargetNames;
  readonly pass: number;
}

export interface FinalizeRecord {
  readonly health: 'yellow' | 'green';
  /** How long each step took, in milliseconds. */
  readonly steps: Record<string, number>;
}

/** A refresh takes as long as the index is large. */
const LONG_CALL_MS = 6 * 3_600_000;
const MOST_BLOCK_TRIES = 3;
const MOST_MERGE_TRIES = 3;

/**
 * Ends a pass and makes the index ready for readers. It may be repeated. The write block comes first: it waits for
 * bulks in flight and lets no more pass. Removing an alias does not do that: bulks in flight were seen to land after
 * the removal was acknowledged.
 */
export async function finalizeTarget(
  cluster: SearchCalls,
  { definition, names, pass }: EndingPass,
  options: FinalizeOptions,
): Promise<FinalizeRecord> {
  const { signal, clock } = options;
  const steps: Record<string, number> = {};
  const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    signal.throwIfAborted();
    const startMs = clock.monotonicMs();
    await work();
    steps[name] = Math.round(clock.monotonicMs() - startMs);
  };
  // Without its write aliases the pass had already ended. And with unassigned replicas no block is acknowledged.
  if (await hasWriteAlias(cluster, names, pass)) {
    await step('block', () => blockWrites(cluster, names, signal));
    await step('alias', () => removeWriteAliases(cluster, names, pass, signal));
  }
  await step('refresh', () => refresh(cluster, names, signal));
  await step('settings', () => restoreSettings(cluster, definition, names, signal));
  await step('forcemerge', () =>
    forcemerge(cluster, definition.index.forcemergeSegments, names.index, options),
  );
  await step('health', () => waitForHealth(cluster, definition.index.health, names, options));
  await step('unblock', () => liftWriteBlock(cluster, names));
  return { health: definition.index.health, steps };
}

async function hasWriteAlias(cluster: SearchCalls, names: TargetNames, pass: number): Promise<boolean> {
  const { writeAlias, deadLetterAlias } = passAliases(names, pass);
  const [target, companion] = await Promise.all([
    describeIndex(cluster, names.index),
    describeIndex(cluster, names.deadLetterIndex),
  ]);
  return (
    (target !== null && writeAlias in target.aliases) ||
    (companion !== null && deadLetterAlias in companion.aliases)
  );
}

async function blockWrites(cluster: SearchCalls, names: TargetNames, signal: AbortSignal): Promise<void> {
  for (const index of [names.index, names.deadLetterIndex]) await blockWritesTo(cluster, index, signal);
}

/**
 * Sets the write block anew. A block that exists already does not prove that bulks in flight were waited for, and
 * shards never acknowledge it a second time. An earlier call's answer may be lost, or an earlier process may have died
 * after the call. So the block is lifted and set again.
 */
async function blockWritesTo(cluster: SearchCalls, index: string, signal: AbortSignal): Promise<void> {
  for (let tries = 0; tries < MOST_BLOCK_TRIES; tries += 1) {
    const standing = (await describeIndex(cluster, index))?.settings['index.blocks.write'];
    signal.throwIfAborted();
    if (standing === 'true')
      await cluster.call('PUT', `${path(index)}/_settings`, { 'index.blocks.write': null }, { signal });
    const answer = await cluster.call('PUT', `${path(index)}/_block/write`, null, {
      signal,
      timeoutMs: 120_000,
    });
    if (read(answer, 'shards_acknowledged') === true) return;
  }
  throw new RunFailed(`not all shards of ${index} acknowledged the write block: run the same command again`);
}

/**
 * Removes the write aliases, without `must_exist`: a repeated call finds them gone, as wanted. It reads the result
 * back.
 */
async function removeWriteAliases(
  cluster: SearchCalls,
  names: TargetNames,
  pass: number,
  signal: AbortSignal,
): Promise<void> {
  const aliases = passAliases(names, pass);
  for (const [index, alias] of [
    [names.index, aliases.writeAlias],
    [names.deadLetterIndex, aliases.deadLetterAlias],
  ] as const) {
    await cluster.callOrNull('DELETE', `${path(index)}/_alias/${encodeURIComponent(alias)}`, null, {
      signal,
    });
    const there = await describeIndex(cluster, index);
    if (there !== null && alias in there.aliases)
      throw new RunFailed(
        `the write alias ${alias} could not be removed from ${index}: run the same command again`,
      );
  }
}

async function refresh(cluster: SearchCalls, names: TargetNames, signal: AbortSignal): Promise<void> {
  for (const index of [names.index, names.deadLetterIndex]) {
    const answer = await cluster.call('POST', `${path(index)}/_refresh`, null, {
      signal,
      timeoutMs: LONG_CALL_MS,
    });
    requireAllShards(answer, `refresh of ${index}`);
  }
}

async function restoreSettings(
  cluster: SearchCalls,
  { index }: IndexDefinition,
  names: TargetNames,
  signal: AbortSignal,
): Promise<void> {
  const wanted = {
    number_of_replicas: String(index.numberOfReplicas),
    refresh_interval: index.refreshInterval,
  };
  for (const name of [names.index, names.deadLetterIndex]) {
    await cluster.call('PUT', `${path(name)}/_settings`, { index: wanted }, { signal });
    const settings = (await describeIndex(cluster, name))?.settings ?? {};
    for (const [setting, value] of Object.entries(wanted)) {
      const found = settings[`index.${setting}`];
      if (found !== value)
        throw new RunFailed(
          `${setting} of ${name} is ${String(found)} after it was set to ${value}: find out who changes it, and run the same command again`,
        );
    }
  }
}

/** Merges the index in the background. If nobody knows how a merge ended, the segments show it. */
async function forcemerge(
  cluster: SearchCalls,
  segments: number | null,
  index: string,
  options: FinalizeOptions,
): Promise<void> {
  if (segments === null) return;
  const words = `forcemerge of ${index}`;
  const task = {
    path: `${path(index)}/_forcemerge?max_num_segments=${segments}`,
    body: null,
    index,
    action: 'indices:admin/forcemerge',
    words,
  };
  for (let tries = 0; tries < MOST_MERGE_TRIES; tries += 1) {
    const answer = await runInBackground(cluster, task, options);
    if (answer !== null) return requireAllShards(answer, words);
    if ((await mostSegments(cluster, index, options.signal)) <= segments) return;
  }
  throw new RunFailed(
    `${words} ended ${MOST_MERGE_TRIES} times without an answer, and more than ${segments} segments are left: look at the cluster's health, and run the same command again`,
  );
}

async function waitForHealth(
  cluster: SearchCalls,
  wanted: 'yellow' | 'green',
  names: TargetNames,
  { healthTimeoutMs, onWait, clock, signal }: FinalizeOptions,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + healthTimeoutMs;
  let told = false;
  for (;;) {
    const { status, unassigned } = await indexHealth(cluster, [names.index, names.deadLetterIndex], {
      waitMs: 0,
      signal,
    });
    if (status === 'green' || status === wanted) return;
    if (clock.monotonicMs() >= deadlineMs) {
      throw new RunFailed(
        `${names.index} is ${status} after ${Math.round(healthTimeoutMs / 1000)} s, but ${wanted} is asked for (${String(unassigned ?? 'some')} shards unassigned): add nodes, lower number_of_replicas, or set index.health, and run the same command again`,
      );
    }
    if (!told)
      onWait?.(
        `waiting for ${wanted}: ${names.index} is ${status}, ${String(unassigned ?? 'some')} shards are unassigned`,
      );
    told = true;
    await clock.sleep(500, signal);
  }
}

function requireAllShards(answer: unknown, what: string): void {
  const failed = read(read(answer, '_shards'), 'failed');
  if (failed !== 0)
    throw new RunFailed(
      `${what} failed on ${String(failed)} shards: look at the cluster's health, and run the same command again`,
    );
}

function path(index: string): string {
  return `/${encodeURIComponent(index)}`;
}
