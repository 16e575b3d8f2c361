import { openAws } from '../../orchestrator/aws/clients.ts';
import { backgroundClock, type Clock, systemClock } from '../../orchestrator/clock.ts';
import { type BucketJournal, openBucketJournal } from '../../orchestrator/journal/s3-place.ts';
import { type Keeper, startKeeper } from './keeper/start-keeper.ts';
import { journalText } from './journal-place.ts';
import { atTheVeryEnd } from './process-end.ts';
import { type DeploymentLog, RunExclusion } from './run-exclusion.ts';

export interface ExcludeRunsRequest {
  /** Where runs of the fleet keep claims and locks. */
  readonly journal: BucketJournal & {
    /** The bucket's region. */
    readonly region: string;
    /** A profile of AWS's configuration files, as `aws:profile` names it. Null: the environment gives the credentials. */
    readonly profile: string | null;
    /** `journal.lease_ms` of the runs' settings, in milliseconds. Runs and deployments use the same lease. */
    readonly leaseMs: number;
  };
  /** Name of the stack. A run that is refused because of this deployment shows it. */
  readonly stack: string;
  /** Nothing is deployed. Then nothing is written, and what would be refused is a warning. */
  readonly preview: boolean;
  /**
   * Address of the engine that runs this program, see `engineAddress`. The lock is held until this engine has ended, also if
   * the program ends before. Null: the lock is held as long as this process lives.
   */
  readonly engine: string | null;
  /** Such as `pulumi.log`. */
  readonly log: DeploymentLog;
  /** Of the wait for the lock. */
  readonly clock?: Clock;
}

/**
 * Lets no run of the fleet begin while this process deploys, and lets no deployment begin during a run. Await it before the
 * first resource is registered: until then nothing has changed.
 *
 * It holds the fleet's lock as a run does, for as long as the engine works. It does not keep the process alive: Pulumi's
 * runner ends the program's process when the engine has done its last step, deletions too. A run that begins meanwhile waits
 * a little longer than a lease. Then it is refused (exit 3) with this stack's name. At an orderly end the lock is given back
 * (`process-end.ts`). An interrupt or an error ends the program at once, but the engine first finishes the steps that it has
 * begun. So a process beside the program (`keeper/`) then goes on with the lock until the engine has ended, and gives it back.
 * If that process is killed too, the next command on this machine sees at once that the holder is dead, if there is /proc. A
 * command on another machine sees it after a lease. A process that lives on after its deployment, as under the Automation
 * API, calls `release` itself.
 *
 * A run needs a bucket. So before a stack's first deployment there is no lock to hold.
 *
 * @throws FleetHeld if a run has the fleet, also one that rests between two commands, or if a process such as a rollback has
 *   it; the message says which, since when and what to do
 * @throws RunFailed if the journal cannot be read or written; it names call, bucket and missing permission. The stack traces
 *   of both errors do not help a person: give their messages to `pulumi.RunError`.
 */
export async function excludeRuns(request: ExcludeRunsRequest): Promise<DeploymentExclusion> {
  const exclusion = new DeploymentExclusion(request);
  await exclusion.ensure();
  atTheVeryEnd(() => exclusion.release());
  return exclusion;
}

/** Keeps runs out during this deployment, at the place where the fleet's journal will be, and where it was until now. */
export class DeploymentExclusion {
  readonly #request: ExcludeRunsRequest;
  readonly #exclusions = new Map<string, RunExclusion>();
  #keeper: Promise<Keeper> | null = null;

  constructor(request: ExcludeRunsRequest) {
    this.#request = request;
  }

  /**
   * Does what `RunExclusion.ensure` does.
   *
   * @param journal by default the one of the request
   */
  ensure(journal: BucketJournal = this.#request.journal): Promise<void> {
    const place = journalText(journal);
    const exclusion = this.#exclusions.get(place) ?? this.#open(journal);
    this.#exclusions.set(place, exclusion);
    return exclusion.ensure();
  }

  /** Gives all locks back. A process that lives on after its deployment calls it. */
  async release(): Promise<void> {
    await Promise.all([...this.#exclusions.values()].map((exclusion) => exclusion.release()));
    const keeper = this.#keeper;
    this.#keeper = null;
    await keeper?.then(
      (started) => started.end(),
      () => {}, // It never began.
    );
  }

  /** One for all places, and another one if it has ended. */
  #keeperFor(engine: string): Promise<Keeper> {
    this.#keeper ??= startKeeper(engine, () => (this.#keeper = null));
    return this.#keeper;
  }

  #open({ bucket, prefix, fleet }: BucketJournal): RunExclusion {
    const { journal, stack, preview, engine, log, clock = systemClock } = this.#request;
    const { region, profile, leaseMs } = journal;
    return new RunExclusion({
      store: openBucketJournal(openAws(region, { profile }), { bucket, prefix, fleet }, clock),
      fleet,
      leaseMs,
      stack,
      preview,
      log,
      ...(engine !== null && {
        keeper: async () => {
          const keeper = await this.#keeperFor(engine);
          const place = { bucket, prefix, fleet, region, profile, leaseMs };
          return { pid: keeper.pid, keep: (claim) => keeper.keep({ journal: place, claim }) };
        },
      }),
      clock,
      renewalClock: backgroundClock,
    });
  }
}
