import type { InvokeOptions } from '@pulumi/pulumi';
import { type Place, readPlace } from './place.ts';
import { bundleSweeper } from './sweeper/bundle.ts';

/** What has to be known of a fleet before its first resource is registered. */
export interface Prepared {
  /** Names and policies are made of it. */
  readonly place: Place;
  /** The sweeper's program. */
  readonly sweeperCode: string;
}

/** @param options of the provider that the fleet is made with, if it is not the default one */
export async function prepareFleet(options: InvokeOptions = {}): Promise<Prepared> {
  const [place, sweeperCode] = await Promise.all([readPlace(options), bundleSweeper()]);
  return { place, sweeperCode };
}
