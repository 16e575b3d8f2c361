import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { AwsSettings } from '../../aws/aws-settings.ts';
import { RunFailed } from '../../errors.ts';
import type { GroupPin } from './group-pin.ts';
import type { Fleet } from '../fleet.ts';
import { checkChanges } from './check-changes.ts';
import { groupFaults, groupWarnings, refreshFaults, type Wanted } from './check-group.ts';
import { checkLaunch } from './check-launch.ts';
import { allowed, collect, type Findings, type Found } from './findings.ts';
import type { GroupReads } from './group-reads.ts';
import { readToken } from './token.ts';

export interface GroupCheck {
  readonly reads: GroupReads;
  readonly settings: AwsSettings;
  readonly wanted: Wanted;
  /** Of an unfinished run; null: a new one. */
  readonly pin: GroupPin | null;
  /** To try the changing calls on, by calls that change nothing; null: they are not tried. */
  readonly changes: Fleet | null;
}

/**
 * Holds a run against its group and everything around it, in as few turns as there are. Every call that a run makes is
 * made once, so that a missing permission is seen now.
 *
 * @throws RunFailed with every fault, a line each
 */
export async function checkGroup(
  check: GroupCheck,
): Promise<{ readonly pin: GroupPin; readonly warnings: readonly string[] }> {
  const { reads, settings } = check;
  const [account, group, token, instances, activities] = await Promise.all([
    collect(async () => ({ value: await reads.account(), faults: [], warnings: [] })),
    collect(() => checkPresent(check)),
    allowed(() => readToken(reads, settings.token_parameter)),
    allowed(() => reads.instances()),
    allowed(() => reads.activities(() => true)),
  ]);
  // Without an identity nothing else was answered.
  if (account.value === null) throw new RunFailed(account.faults.join('\n'));
  const where = `region ${settings.region} of account ${account.value}`;
  if (group.value === 'absent')
    throw new RunFailed(
      [
        `there is no Auto Scaling group ${settings.group} in ${where}: look after aws.group and aws.region`,
        ...token.faults,
        ...instances.faults,
      ].join('\n'),
    );
  const all: Findings[] = [group, token, instances, activities];
  const faults = all.flatMap((found) => found.faults);
  if (group.value === null || faults.length > 0) throw new RunFailed(faults.join('\n'));
  return { pin: group.value, warnings: all.flatMap(({ warnings }) => warnings) };
}

/** What the run is pinned to, if the group is fit for it. */
async function checkPresent(check: GroupCheck): Promise<Found<GroupPin | 'absent'>> {
  const { reads, wanted, changes } = check;
  const group = await reads.group();
  if (group === null) return { value: 'absent', faults: [], warnings: [] };
  const named = (sentences: readonly string[]): string[] =>
    sentences.map((sentence) => `the group ${reads.name}: ${sentence}`);
  const [pin, refreshes, calls] = await Promise.all([
    checkPin(check, group),
    collect(async () => ({
      value: null,
      faults: named(refreshFaults(await reads.refreshes())),
      warnings: [],
    })),
    changes === null ? null : checkChanges(changes, group),
  ]);
  return {
    value: pin.value,
    faults: [
      ...named(groupFaults(group, wanted)),
      ...pin.faults,
      ...refreshes.faults,
      ...(calls?.faults ?? []),
    ],
    warnings: [...named(groupWarnings(group, wanted)), ...pin.warnings, ...(calls?.warnings ?? [])],
  };
}

/** An unfinished run stays pinned to what it was, whatever the group would launch now. */
async function checkPin(
  { reads, settings, pin }: GroupCheck,
  group: AutoScalingGroup,
): Promise<Found<GroupPin>> {
  if (pin !== null) return { value: pin, faults: otherGroupFaults(pin, settings), warnings: [] };
  const launch = await checkLaunch(reads, group, settings.image_parameter);
  const { region, group: name } = settings;
  return { ...launch, value: launch.value === null ? null : { region, group: name, ...launch.value } };
}

/** A run goes on with the group that it began with, or its instances would be nobody's. */
export function otherGroupFaults(pin: GroupPin, { region, group }: AwsSettings): string[] {
  return pin.group === group && pin.region === region
    ? []
    : [
        `the run has the group ${pin.group} in ${pin.region} as its fleet, and the settings name ${group} in ${region}: carry it on with the settings that it began with`,
      ];
}
