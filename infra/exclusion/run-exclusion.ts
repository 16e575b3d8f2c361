import type { Clock } from '../../orchestrator/clock.ts';
import { FleetHeld, messageOf, RunFailed } from '../../orchestrator/errors.ts';
import { BucketMissing } from '../../orchestrator/journal/bucket-failure.ts';
import { describeProcess, holderWords, stateOfHolder } from '../../orchestrator/journal/holder.ts';
import { currentHolder, type FleetLock, type LockClaim } from '../../orchestrator/journal/lock.ts';
import type { JournalStore } from '../../orchestrator/journal/store.ts';
import { unfinishedClaim } from '../../orchestrator/run/choose-run.ts';
import { findDriver } from '../../orchestrator/run/driver.ts';
import { takeLock } from '../../orchestrator/run/with-lock.ts';
import { claimRefusal, lockRefusal, lossWarning } from './refusal.ts';

/** Where a deployment writes its messages, such as `pulumi.log`. */
export interface DeploymentLog {
  info(sentence: string): unknown;
  warn(sentence: string): unknown;
}

export interface RunExclusionOptions {
  readonly store: JournalStore;
  readonly fleet: string;
  readonly leaseMs: number;
  readonly stack: string;
  readonly preview: boolean;
  readonly log: DeploymentLog;
  /**
   * Gives the process that is named as the lock's holder. That process goes on with the lock if this one ends too early. By
   * default it is this process, and nothing goes on with the lock.
   */
  readonly keeper?: () => Promise<LockKeeper>;
  /** Of the wait for the lock. */
  readonly clock: Clock;
  /** Of the pauses between its renewals; its sleep does not keep the process from its end. */
  readonly renewalClock: Clock;
}

export interface LockKeeper {
  readonly pid: number;
  /** Tells it of the lock that this process holds now. */
  keep(claim: LockClaim): Promise<void>;
}

/** What keeps runs and a deployment apart, see `excludeRuns`. */
export class RunExclusion {
  readonly #options: RunExclusionOptions;
  #lock: FleetLock | null = null;
  #ensuring: Promise<void> | null = null;

  constructor(options: RunExclusionOptions) {
    this.#options = options;
  }

  /**
   * Makes sure that no run has the fleet and none can begin. It may be called again, also by many at once. It takes a lock
   * again that was lost, and takes one now if there was no bucket before.
   *
   * @throws FleetHeld, RunFailed as `excludeRuns`
   */
  ensure(): Promise<void> {
    this.#ensuring ??= this.#ensure().finally(() => (this.#ensuring = null));
    return this.#ensuring;
  }

  /** Gives the lock back. A lock that cannot be given back expires by itself. */
  async release(): Promise<void> {
    const lock = this.#lock;
    this.#lock = null;
    await lock?.release().catch(() => {});
  }

  async #ensure(): Promise<void> {
    const { preview, log } = this.#options;
    if (isHeld(this.#lock)) return;
    try {
      await this.#requireNoRun();
      if (preview) await this.#requireNoHolder();
      else this.#lock = await this.#take();
    } catch (error) {
      if (error instanceof BucketMissing) return;
      if (!preview || !(error instanceof FleetHeld || error instanceof RunFailed)) throw error;
      log.warn(error.message);
    }
  }

  async #requireNoRun(): Promise<void> {
    const { store, fleet, stack } = this.#options;
    const claim = await unfinishedClaim(store);
    if (claim !== null) throw new FleetHeld(claimRefusal({ fleet, stack }, claim, await findDriver(store)));
  }

  async #requireNoHolder(): Promise<void> {
    const driver = await findDriver(this.#options.store);
    if (driver === null || driver.state === 'dead') return;
    throw new FleetHeld(lockRefusal(`another process holds the fleet: ${holderWords(driver)}`));
  }

  /** The holder of the lock may be about to claim the fleet. So this looks at the claim again while it waits, and afterwards. */
  async #take(): Promise<FleetLock> {
    const { store, leaseMs, stack, log, clock, renewalClock } = this.#options;
    const keeper = await this.#options.keeper?.();
    const lock = await takeLock({
      store,
      leaseMs,
      holder: await describeProcess(keeper?.pid ?? process.pid, `pulumi up (stack ${stack})`, clock.now()),
      stateOfHolder,
      clock,
      reporter: { note: (line) => void log.info(line), warning: (line) => void log.warn(line) },
      signal: new AbortController().signal,
      whileHeld: () => this.#requireNoRun(),
    }).catch(async (error: unknown) => {
      await this.#requireNoRun();
      throw error instanceof FleetHeld ? new FleetHeld(lockRefusal(messageOf(error))) : error;
    });
    lock.startRenewing(renewalClock);
    try {
      await keeper?.keep(lock.claim);
      await this.#requireNoRun();
    } catch (error) {
      await lock.release().catch(() => {}); // It expires by itself.
      throw error;
    }
    lock.lost.addEventListener('abort', () => void this.#tellOfLoss(lock.lost.reason), { once: true });
    return lock;
  }

  async #tellOfLoss(reason: unknown): Promise<void> {
    const { store, log } = this.#options;
    // Where the deployment has deleted the bucket there is nothing to lose.
    const isGone = await currentHolder(store).then(
      () => false,
      (error: unknown) => error instanceof BucketMissing,
    );
    if (!isGone) log.warn(lossWarning(messageOf(reason)));
  }
}

function isHeld(lock: FleetLock | null): boolean {
  try {
    lock?.requireHeld();
    return lock !== null;
  } catch {
    return false;
  }
}
