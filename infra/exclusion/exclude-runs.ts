import { openAws } from '../../orchestrator/aws/clients.ts';
import { backgroundClock, type Clock, systemClock } from '../../orchestrator/clock.ts';
import { type BucketJournal, openBucketJournal } from '../../orchestrator/journal/s3-place.ts';
import { journalText } from './journal-place.ts';
import { atTheVeryEnd } from './process-end.ts';
import { type DeploymentLog, RunExclusion } from './run-exclusion.ts';

export interface ExcludeRunsRequest {
  /** Where runs of the fleet keep claims and locks. */
  readonly journal: BucketJournal & {
    /** Of the bucket. */
    readonly region: string;
    /** Of AWS's configuration files, as `aws:profile` names it; null: credentials are as the environment says. */
    readonly profile: string | null;
    /** Of the runs' settings (`journal.lease_ms`), in milliseconds: both sides count by it. */
    readonly leaseMs: number;
  };
  /** Name of the stack, for whoever is refused because of this deployment. */
  readonly stack: string;
  /** Nothing is deployed: nothing is refused nor written, and what would be refused is a warning. */
  readonly preview: boolean;
  /** Such as `pulumi.log`. */
  readonly log: DeploymentLog;
  /** Of the wait for the lock. */
  readonly clock?: Clock;
}

/**
 * Lets no run of the fleet begin while this process deploys, and no deployment begin under a run. To be awaited before
 * the first resource is registered: until then nothing has changed.
 *
 * It holds the fleet's lock as a run does, for as long as this process lives, without keeping it alive: Pulumi's runner
 * ends the program's process when the engine has done its last step, deletions too. A run that begins meanwhile waits
 * for a lease and a bit, and is then refused (exit 3) with this stack's name. At an orderly end the lock is given back
 * (`process-end.ts`). After any other end, or where the engine does not leave the time, the next command on this
 * machine sees at once that its holder is dead (where there is /proc), one on another machine after a lease. A process
 * that lives on after its deployment, as under the Automation API, calls `release` itself.
 *
 * While there is no bucket, there is no run: before a stack's first deployment nothing is held.
 *
 * @throws FleetHeld when a run, also one that rests between two commands, or a process such as a rollback has the fleet;
 *   it says which, since when and what to do
 * @throws RunFailed when the journal cannot be read or written; it names call, bucket and missing permission
 *   (neither has a stack that a person could use: give the message of both to `pulumi.RunError`)
 */
export async function excludeRuns(request: ExcludeRunsRequest): Promise<DeploymentExclusion> {
  const exclusion = new DeploymentExclusion(request);
  await exclusion.ensure();
  atTheVeryEnd(() => exclusion.release());
  return exclusion;
}

/** Keeps runs and this deployment apart: where the fleet's journal will be, and where it was until now. */
export class DeploymentExclusion {
  readonly #request: ExcludeRunsRequest;
  readonly #exclusions = new Map<string, RunExclusion>();

  constructor(request: ExcludeRunsRequest) {
    this.#request = request;
  }

  /**
   * As `RunExclusion.ensure`.
   *
   * @param journal by default the one of the request
   */
  ensure(journal: BucketJournal = this.#request.journal): Promise<void> {
    const place = journalText(journal);
    const exclusion = this.#exclusions.get(place) ?? this.#open(journal);
    this.#exclusions.set(place, exclusion);
    return exclusion.ensure();
  }

  /** Gives all locks back, for a process that goes on. */
  async release(): Promise<void> {
    await Promise.all([...this.#exclusions.values()].map((exclusion) => exclusion.release()));
  }

  #open({ bucket, prefix, fleet }: BucketJournal): RunExclusion {
    const { journal, stack, preview, log, clock = systemClock } = this.#request;
    const { region, profile, leaseMs } = journal;
    return new RunExclusion({
      store: openBucketJournal(openAws(region, { profile }), { bucket, prefix, fleet }, clock),
      fleet,
      leaseMs,
      stack,
      preview,
      log,
      clock,
      renewalClock: backgroundClock,
    });
  }
}
