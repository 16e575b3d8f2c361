import { digestDefinition } from '../../definition/digest.ts';
import type { Clock } from '../../orchestrator/clock.ts';
import { GROUP_BILLING } from '../../orchestrator/fleet/auto-scaling/billing.ts';
import { GroupFleet } from '../../orchestrator/fleet/auto-scaling/group-fleet.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import { instanceUse } from '../../orchestrator/reconcile/account-instances.ts';
import type { PlannedRange } from '../../orchestrator/reconcile/run-plan.ts';
import type { ObservedInstance } from '../../orchestrator/reconcile/observation.ts';
import type { AssignedRange } from '../../orchestrator/reconcile/range-state.ts';
import { isDone, type RunState } from '../../orchestrator/reconcile/state.ts';
import { groupPacing } from '../../orchestrator/fleet/auto-scaling/group-backend.ts';
import { fleetPinOf } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';
import { autoScaling } from '../../orchestrator/fleet/auto-scaling/kind.ts';
import { autoScalingSection } from '../../orchestrator/fleet/auto-scaling/settings.ts';
import { limitsOf } from '../../orchestrator/run/limits.ts';
import { runPass } from '../../orchestrator/run/reindex-pass.ts';
import { loadSettings } from '../../orchestrator/settings.ts';
import type { TaskRequest } from '../../worker/contract.ts';
import { sketchDefinition } from '../support/definitions.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { IDENTITY } from '../support/virtual-world.ts';
import { VirtualGroup } from './group.ts';
import { PacedWorkers } from './paced-workers.ts';
import { seededRandom } from './random.ts';
import { Scheduler } from './scheduler.ts';
import type { TokenBucket } from './token-bucket.ts';
import { type AwsCall, VIRTUAL_PIN, VirtualAws } from './virtual-aws.ts';
import { mainPass } from '../support/run-values.ts';

export interface LargeFleetOptions {
  readonly workers: number;
  /** See `VirtualAws`. */
  readonly bucket?: TokenBucket;
  readonly launchesPerSecond?: number;
}

const DEFINITION = sketchDefinition({ source: { table: 'things' }, document: { id: 'row.id' } });
const ROWS_PER_SECOND = 10_000;
const BUILD = 'build-1';
/** The boot of a machine and of its worker: a run pays for both before the first row. */
const MACHINE_BOOT_MS = 40_000;
const WORKER_START_MS = 20_000;
export const BOOT_SECONDS = (MACHINE_BOOT_MS + WORKER_START_MS) / 1_000;
/** A round of 1,000 workers, 250 at a time, takes 1 s with this. `npm run bench:decisions` measures the real time. */
const ANSWER_MS = 250;
const CALL_MS = 100;
const STALE_MS = 2_000;

/** A group in virtual time behind AWS's calls and the real adapter. */
export class LargeFleet {
  readonly scheduler = new Scheduler();
  readonly group: VirtualGroup;
  readonly aws: VirtualAws;
  readonly workers: PacedWorkers;
  readonly fleet: GroupFleet;
  readonly clock: Clock;

  constructor({ workers, bucket, launchesPerSecond = workers }: LargeFleetOptions) {
    const { scheduler } = this;
    this.workers = new PacedWorkers({
      scheduler,
      build: BUILD,
      definition: DEFINITION,
      rowsPerSecond: ROWS_PER_SECOND,
      startMs: WORKER_START_MS,
      answerMs: ANSWER_MS,
    });
    const timing = { reactMs: 5_000, bootMs: MACHINE_BOOT_MS, shutdownMs: 30_000, launchesPerSecond };
    this.group = new VirtualGroup(scheduler, timing, this.workers);
    this.group.maximum = workers;
    const bucketOrNone = bucket ?? null;
    this.aws = new VirtualAws({
      scheduler,
      group: this.group,
      latencyMs: CALL_MS,
      staleMs: STALE_MS,
      bucket: bucketOrNone,
    });
    this.clock = clockOf(scheduler);
    this.fleet = new GroupFleet({
      aws: this.aws,
      group: VIRTUAL_PIN.group,
      workerPort: 8003,
      run: { id: IDENTITY.run, pin: VIRTUAL_PIN, startedAt: new Date(0), owns: () => true },
      clock: this.clock,
    });
  }

  /** When the last call that ended an instance arrived. */
  get lastTerminationMs(): number {
    return this.aws.calls.findLast(isTermination)?.atMs ?? Number.NaN;
  }

  /** Ends the machine by itself, together with its worker. */
  lose(instance: string): void {
    this.workers.gone(instance);
    this.group.crash(instance);
  }

  /** Lets time pass until `work` is over. */
  async until<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    // `work` begins by planning something.
    await new Promise((resolve) => void setImmediate(resolve));
    await this.scheduler.run(DAY_MS, () => isOver);
    if (!isOver) throw new Error('it goes on for longer than a day');
    return over;
  }
}

/** A call that was admitted. */
function isTermination({ action, isThrottled }: AwsCall): boolean {
  return action === 'TerminateInstanceInAutoScalingGroup' && !isThrottled;
}

const DAY_MS = 86_400_000;

function clockOf(scheduler: Scheduler): Clock {
  return {
    now: () => new Date(scheduler.nowMs),
    monotonicMs: () => scheduler.nowMs,
    sleep: (ms) => new Promise((resolve) => void scheduler.after(ms, resolve)),
  };
}

/** The time from one decision to the next. */
export interface Tick {
  readonly atMs: number;
  readonly part: 'launching' | 'at work' | 'ending' | 'at rest';
  readonly calls: readonly AwsCall[];
}

export interface LargeRun {
  readonly fleet: LargeFleet;
  readonly ticks: readonly Tick[];
  readonly rowsRead: number;
  readonly rowsPlanned: number;
  /** The seconds of all its instances, as the run itself counts them. */
  readonly billedSeconds: number;
}

/**
 * Runs a whole pass over ranges that take a worker so many seconds each. The settings are the defaults of a run on a
 * group.
 */
export async function runLarge(
  fleet: LargeFleet,
  { workers }: { readonly workers: number },
  rangeSeconds: readonly number[],
): Promise<LargeRun> {
  const journal = await journalOf(fleet, rangeSeconds);
  const settings = await loadSettings({ workers: String(workers) }, {}, import.meta.dirname);
  const section = { group: VIRTUAL_PIN.group, token_parameter: '/token' };
  const backend = autoScaling.schema.parse(section);
  const random = seededRandom(1);
  const pacing = groupPacing(autoScalingSection.parse(section), () => random.next());
  const ticks: Tick[] = [];
  let counted = 0;
  const note = (part: Tick['part']): void => {
    ticks.push({ atMs: fleet.scheduler.nowMs, part, calls: fleet.aws.calls.slice(counted) });
    counted = fleet.aws.calls.length;
  };
  const pass = runPass({
    journal,
    fleet: fleet.fleet,
    workers: fleet.workers,
    limits: limitsOf(
      { settings: { ...settings, backend }, build: BUILD, stopLimits: {}, maxCost: null },
      pacing.timing,
    ),
    taskOf,
    pauseMs: pacing.pauseMs,
    outlivesProcess: backend.traits.outlivesProcess,
    clock: fleet.clock,
    requireHeld: () => {},
    onTrouble: () => {},
    onBlind: () => {},
    onTick: (state, _memory, { instances }) => note(partOf(state, instances, workers)),
    signal: new AbortController().signal,
  });
  await fleet.until(pass);
  const { state } = journal;
  return {
    fleet,
    ticks,
    rowsRead: state.counts.rowsRead,
    rowsPlanned: rangeSeconds.reduce((sum, seconds) => sum + Math.round(seconds * ROWS_PER_SECOND), 0),
    billedSeconds: instanceUse(state, fleet.clock.now().toISOString(), GROUP_BILLING).seconds,
  };
}

function partOf(state: RunState, instances: readonly ObservedInstance[], workers: number): Tick['part'] {
  const running = instances.filter(({ phase }) => phase === 'running').length;
  if (isDone(state) && running === 0) return 'at rest';
  if (state.desired < workers) return 'ending';
  return running < workers ? 'launching' : 'at work';
}

async function journalOf(fleet: LargeFleet, rangeSeconds: readonly number[]): Promise<RunJournal> {
  const journal = await RunJournal.open({
    store: new MemoryStore(),
    runFolder: 'runs/large',
    epoch: 1,
    requireHeld: () => {},
    now: () => fleet.clock.now(),
  });
  let start = 0;
  const ranges = rangeSeconds.map((seconds, i): PlannedRange => {
    const rows = Math.round(seconds * ROWS_PER_SECOND);
    const range = { number: `${i}`, start: `${start}`, end: `${start + rows}`, rows, bytes: rows * 1_000 };
    start += rows;
    return range;
  });
  await journal.append([
    { ...IDENTITY, build: BUILD },
    { type: 'planned', keyKind: 'integer', ranges, bounds: { min: '0', max: `${start - 1}` } },
    { type: 'fleet_pinned', pin: fleetPinOf(VIRTUAL_PIN) },
    { type: 'fleet_cleared', earlier: [] },
    { type: 'pass_opened', pass: mainPass(1, 'things-1') },
  ]);
  return journal;
}

function taskOf(range: AssignedRange): TaskRequest {
  return {
    task_id: range.task,
    run: IDENTITY.run,
    range_id: range.id,
    attempt: range.attempt,
    worker_id: range.instance,
    definition: DEFINITION.name,
    definition_digest: `${digestDefinition(DEFINITION)}.${'0'.repeat(32)}`,
    targets: [
      {
        kind: 'bulk',
        definition: DEFINITION.name,
        definition_digest: `${digestDefinition(DEFINITION)}.${'0'.repeat(32)}`,
        index: 'things-1',
        write_alias: 'w',
        dead_letter_alias: 'd',
      },
    ],
    start_index: range.start,
    end_index: range.end,
    max_bytes_in_flight: 1_048_576,
  };
}
