import { REGION } from './aws-clients.ts';

/** Reasons why EC2 gives no instance, in AWS's words, see moto_corrections/capacity.py. */
export type CapacityError =
  | 'InsufficientInstanceCapacity'
  | 'SpotInsufficientInstanceCapacity'
  | 'MaxSpotInstanceCountExceeded'
  | 'UnfulfillableCapacity'
  | 'VcpuLimitExceeded'
  | 'Unsupported'
  | 'InsufficientFreeAddressesInSubnet';

/**
 * From now on EC2 has so many instances for the group; null: as many as it wants. A group that misses some goes on
 * trying, each second, and says in its scaling activities why it has failed.
 */
export async function limitCapacity(
  url: string,
  group: string,
  available: number | null,
  error: CapacityError = 'InsufficientInstanceCapacity',
): Promise<void> {
  await tell(url, 'capacity', { region: REGION, group, available, error });
}

/** How long instances of the group are pending, and shutting down, also those that are now. At first it is no time. */
export async function setPace(
  url: string,
  group: string,
  { launchSeconds, terminateSeconds }: { readonly launchSeconds: number; readonly terminateSeconds: number },
): Promise<void> {
  await tell(url, 'pace', {
    region: REGION,
    group,
    launch_seconds: launchSeconds,
    terminate_seconds: terminateSeconds,
  });
}

/** Ends an instance without a call: the instance shuts itself down, or EC2 takes its Spot capacity back. */
export async function endInstance(url: string, instance: string, cause: 'shutdown' | 'spot'): Promise<void> {
  await tell(url, 'instance-end', { region: REGION, instance, cause });
}

async function tell(url: string, what: string, body: object): Promise<void> {
  const answer = await fetch(new URL(`/reindex-test/${what}`, url), {
    method: 'POST',
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`The AWS API of the tests does not do ${what}: ${await answer.text()}`);
}
