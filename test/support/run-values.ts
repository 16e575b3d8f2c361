import type { Claim } from '../../orchestrator/journal/claims.ts';
import type { Pass } from '../../orchestrator/passes/pass.ts';
import type { Promotion } from '../../orchestrator/reconcile/promotion.ts';
import type { RunResult } from '../../orchestrator/reconcile/run-result.ts';

/** Values of runs with one target, for tests that need some but do not test them. */

export function mainPass(number = 1, target = 'target'): Pass {
  return { kind: 'main', number, reads: { kind: 'planned' }, targets: [target], workers: 'fleet' };
}

export function reReadingPass(number: number, numbers: readonly string[], target = 'target'): Pass {
  return {
    kind: 're-reading',
    number,
    reads: { kind: 'ranges', numbers },
    targets: [target],
    workers: 'fleet',
  };
}

export function claimedAliases(alias: string, definitionDigest = 'digest'): Claim['aliases'] {
  return [{ alias, definition: alias, definitionDigest }];
}

export function promotion(index: string, alias = 'cities'): Promotion {
  return { alias, at: '2026-01-01T00:00:00.000Z', removed: [], added: { index, config: {} } };
}

export function runResult(changes: Partial<RunResult> = {}): RunResult {
  return {
    status: 'done',
    run_key: 'key-1',
    run: 'run-1',
    fleet: 'test',
    rows: 0,
    retries: 0,
    bytes_sent: 0,
    documents_per_second: null,
    workers: null,
    boot_seconds: null,
    instances: null,
    instance_seconds: null,
    cost: null,
    phase_seconds: {},
    targets: [
      {
        definition: 'cities',
        alias: 'cities',
        index: 'target',
        previous_indexes: [],
        indexed: 0,
        superseded: 0,
        filtered: 0,
        dead_letters: 0,
        read_again: { ranges: 0, rows: 0, passes: 0 },
        stale: null,
        validated: null,
      },
    ],
    ...changes,
  };
}

/** The only target of a command's result, for a run of one index. */
export function onlyTarget(result: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { targets } = result;
  const [only, ...others]: unknown[] = Array.isArray(targets) ? targets : [];
  if (typeof only !== 'object' || only === null || others.length > 0)
    throw new Error(`the result has not one target: ${JSON.stringify(result)}`);
  return only as Readonly<Record<string, unknown>>;
}
