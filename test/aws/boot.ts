import type { Instance } from '@aws-sdk/client-ec2';

/** The environment that the system of an instance's machine gives to its worker. */
export type Boot = (instance: Instance) => Promise<Readonly<Record<string, string>>>;

/**
 * By an image that is made for one fleet, and says all by itself.
 * @param definitions the file that it carries
 */
export function bootFromImage(workerParameters: string, definitions: string): Boot {
  return () =>
    Promise.resolve({
      REINDEX_WORKER_PLATFORM: 'ec2',
      REINDEX_WORKER_PARAMETERS: workerParameters,
      REINDEX_WORKER_DEFINITIONS: definitions,
    });
}
