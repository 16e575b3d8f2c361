import type { Place } from './place.ts';

/** Every physical name of a fleet. The same settings in the same place give the same names. */
export interface Names {
  readonly fleet: string;
  readonly place: Place;
  /** Name of the Auto Scaling group, the launch template and the dashboard. */
  readonly group: string;
  readonly workersRole: string;
  readonly workersSecurityGroup: string;
  readonly sweeper: string;
  readonly sweeperRole: string;
  readonly sweeperLogs: string;
  readonly schedule: string;
  readonly schedulerRole: string;
  readonly orchestratorPolicy: string;
  readonly bucket: string;
  /** What the keys of the fleet's journal begin with, without a slash at its ends. */
  readonly journalPrefix: string;
  readonly imageParameter: string;
  /** Path of the workers' settings in Parameter Store. */
  readonly workerParameters: string;
  readonly tokenParameter: string;
}

export interface NameSettings {
  readonly fleet: string;
  /** Null: named after fleet, account and region. */
  readonly bucket: string | null;
  readonly journalPrefix: string;
  /** Null: the stack owns one. */
  readonly imageParameter: string | null;
}

/** An account has each name of IAM once for all regions, so these names contain the region. */
export function namesOf({ fleet, bucket, journalPrefix, imageParameter }: NameSettings, place: Place): Names {
  const base = `reindex-fleet-${fleet}`;
  const roleBase = `${base}-${place.region}`;
  const parameters = `/reindex-fleet/${fleet}`;
  return {
    fleet,
    place,
    group: base,
    workersRole: `${roleBase}-workers`,
    workersSecurityGroup: `${base}-workers`,
    sweeper: `${base}-sweeper`,
    sweeperRole: `${roleBase}-sweeper`,
    sweeperLogs: `/aws/lambda/${base}-sweeper`,
    schedule: `${base}-sweep`,
    schedulerRole: `${roleBase}-scheduler`,
    orchestratorPolicy: `${roleBase}-orchestrator`,
    bucket: bucket ?? `reindex-${fleet}-${place.account}-${place.region}`,
    journalPrefix: journalPrefix
      .split('/')
      .filter((part) => part !== '')
      .join('/'),
    imageParameter: imageParameter ?? `${parameters}/image`,
    workerParameters: `${parameters}/worker`,
    tokenParameter: `${parameters}/worker/token`,
  };
}
