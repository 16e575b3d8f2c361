import type { InstanceMetadata } from './metadata.ts';
import { InstanceFailure } from './instance-failure.ts';

/** The identity of the instance. */
export interface Identity {
  readonly id: string;
  /** Its private IPv4 address. */
  readonly host: string;
  readonly region: string;
  /** Its Auto Scaling group; null: it has none, or its tags are not in its metadata (`InstanceMetadataTags`). */
  readonly group: string | null;
}

/** @throws Error if the service cannot be reached, or lacks one of them; the group may be missing */
export async function readIdentity(metadata: InstanceMetadata): Promise<Identity> {
  const needed = async (path: string): Promise<string> => {
    const value = await metadata.read(path);
    if (value === null || value === '') throw new InstanceFailure(`The instance metadata has no ${path}.`);
    return value;
  };
  // One after another, so that the first fetches the token for all.
  const id = await needed('instance-id');
  const host = await needed('local-ipv4');
  const region = await needed('placement/region');
  const group = await metadata.read('tags/instance/aws:autoscaling:groupName');
  return { id, host, region, group };
}
