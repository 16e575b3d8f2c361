import * as pulumi from '@pulumi/pulumi';
import { FleetHeld, RunFailed } from '../orchestrator/errors.ts';
import { type DeploymentExclusion, excludeRuns } from './exclusion/exclude-runs.ts';
import { journalOf } from './exclusion/journal-place.ts';
import { type FleetImage, readImage } from './image.ts';
import type { Names } from './names.ts';
import { type Place, readPlace } from './place.ts';
import { checkSettings } from './settings/check-settings.ts';
import { namesOfFleet } from './settings/fleet-names.ts';
import type { StackInput, StackSettings } from './settings/schema.ts';
import { sweeperFile } from './sweeper/bundle.ts';

/** What has to be known, and to be so, before a fleet's first resource is registered. */
export interface Prepared {
  /** Names and policies are made of it. */
  readonly place: Place;
  /** The image that `image` names. */
  readonly launched: FleetImage;
  /** The sweeper's program. */
  readonly sweeperCode: pulumi.asset.Asset;
  /**
   * Keeps runs and this deployment apart; asked again before something is deleted. A process that lives on after its
   * deployment, as under the Automation API, calls `release` behind it, or no run ever begins while that process lives.
   */
  readonly exclusion: Pick<DeploymentExclusion, 'ensure' | 'release'>;
}

/**
 * Finds out where the fleet is and what it launches, makes the sweeper's program, and takes the fleet's lock, so that no run
 * begins while this deployment lasts. In a preview nothing is taken, and a run that has the fleet is a warning.
 *
 * The journal is read with this process's own credentials, or those of `aws:profile`: with a provider of another account give
 * these too, e.g. by AWS_PROFILE.
 *
 * @param given the fleet's settings
 * @param options of the provider that the fleet is made with, if it is not the default one
 * @throws RunError that names everything that is wrong with the settings, or says what is with the image
 * @throws RunError when a run has the fleet, or nobody can tell; it says what to do
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
      log: pulumi.log,
    });
  } catch (error) {
    // For a person: without a stack trace.
    if (error instanceof FleetHeld || error instanceof RunFailed) throw new pulumi.RunError(error.message);
    throw error;
  }
}
