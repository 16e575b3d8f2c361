import * as pulumi from '@pulumi/pulumi';
import { FleetHeld, RunFailed } from '../orchestrator/errors.ts';
import { engineAddress } from './exclusion/engine-address.ts';
import { type DeploymentExclusion, excludeRuns } from './exclusion/exclude-runs.ts';
import { journalOf } from './exclusion/journal-place.ts';
import { type FleetImage, readImage } from './image.ts';
import type { Names } from './names.ts';
import { type Place, readPlace } from './place.ts';
import { checkSettings } from './settings/check-settings.ts';
import { namesOfFleet } from './settings/fleet-names.ts';
import type { StackInput, StackSettings } from './settings/schema.ts';
import { sweeperFile } from './sweeper/bundle.ts';

/** What the component needs before it registers a fleet's first resource. */
export interface Prepared {
  /** Names and policies are made from it. */
  readonly place: Place;
  /** The image that `image` names. */
  readonly launched: FleetImage;
  /** The sweeper's program. */
  readonly sweeperCode: pulumi.asset.Asset;
  /**
   * Keeps runs out while this deployment lasts. Hooks ask it again before something is deleted. A process that lives on
   * after its deployment, as under the Automation API, must call `release` at the end. Otherwise no run can begin while that
   * process lives.
   */
  readonly exclusion: Pick<DeploymentExclusion, 'ensure' | 'release'>;
}

/**
 * Finds out where the fleet is and what it launches. Makes the sweeper's program. Takes the fleet's lock, so that no run
 * begins while this deployment lasts. A preview takes no lock, and only warns of a run that has the fleet.
 *
 * It reads the journal with this process's own credentials, or those of `aws:profile`. If the fleet's provider is for another
 * account, give the process that account's credentials too, e.g. by AWS_PROFILE.
 *
 * @param given the fleet's settings
 * @param options of the provider that makes the fleet, if it is not the default one
 * @throws RunError that names everything that is wrong with the settings or the image
 * @throws RunError if a run has the fleet, or if the journal cannot say; it says what to do
 */
export async function prepareFleet(given: StackInput, options: pulumi.InvokeOptions = {}): Promise<Prepared> {
  const settings = checkSettings(given, given.fleet);
  const [place, launched, file] = await Promise.all([
    readPlace(options),
    readImage(settings, options),
    sweeperFile(),
  ]);
  const exclusion = await exclude(settings, namesOfFleet(settings, place));
  return { place, launched, sweeperCode: new pulumi.asset.FileAsset(file), exclusion };
}

async function exclude({ journal }: StackSettings, names: Names): Promise<DeploymentExclusion> {
  try {
    return await excludeRuns({
      journal: {
        ...journalOf(names),
        region: names.place.region,
        profile: new pulumi.Config('aws').get('profile') ?? null,
        leaseMs: journal.lease_ms,
      },
      stack: pulumi.getStack(),
      preview: pulumi.runtime.isDryRun(),
      engine: engineAddress(),
      log: pulumi.log,
    });
  } catch (error) {
    // For a person: without a stack trace.
    if (error instanceof FleetHeld || error instanceof RunFailed) throw new pulumi.RunError(error.message);
    throw error;
  }
}
