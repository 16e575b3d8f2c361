import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import { RunFailed } from '../../errors.ts';
import type { Fleet } from '../fleet.ts';
import { checkChanges } from './check-changes.ts';
import { groupFaults, groupWarnings, refreshFaults, type Wanted } from './check-group.ts';
import { checkLaunch } from './check-launch.ts';
import { allowed, collect, type Findings, type Found } from './findings.ts';
import type { GroupReads } from './group-reads.ts';
import type { GroupSettings } from './settings.ts';
import { readToken } from './token.ts';
import type { GroupPin } from './group-pin.ts';

export interface GroupCheck {
  readonly reads: GroupReads;
  readonly settings: GroupSettings;
  readonly wanted: Wanted;
  /** The pin of an unfinished run. Null for a new run. */
  readonly pin: GroupPin | null;
  /** The fleet on which the changing calls are tried, with calls that change nothing. Null: they are not tried. */
  readonly changes: Fleet | null;
}

/**
 * Checks the group and everything around it for a run, with as few round trips as possible. It makes every call that a
 * run makes once, so a missing permission shows now.
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
  // No other call can succeed without an identity.
  if (account.value === null) throw new RunFailed(account.faults.join('\n'));
  const where = `region ${settings.region} of account ${account.value}`;
  if (group.value === 'absent')
    throw new RunFailed(
      [
        `there is no Auto Scaling group ${settings.group} in ${where}: correct auto_scaling.group or aws.region`,
        ...token.faults,
        ...instances.faults,
      ].join('\n'),
    );
  const all: Findings[] = [group, token, instances, activities];
  const faults = all.flatMap((found) => found.faults);
  if (group.value === null || faults.length > 0) throw new RunFailed(faults.join('\n'));
  return { pin: group.value, warnings: all.flatMap(({ warnings }) => warnings) };
}

/** Finds what the run is pinned to, and what makes the group unfit for it. */
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

/** An unfinished run keeps its pin, whatever the group would launch now. */
async function checkPin(
  { reads, settings, pin }: GroupCheck,
  group: AutoScalingGroup,
): Promise<Found<GroupPin>> {
  if (pin !== null) return { value: pin, faults: otherGroupFaults(pin, settings), warnings: [] };
  const launch = await checkLaunch(reads, group, settings.image_parameter);
  const { region, group: name } = settings;
  return { ...launch, value: launch.value === null ? null : { region, group: name, ...launch.value } };
}

/** A run must keep the group that it began with. Otherwise nobody would end that group's instances. */
export function otherGroupFaults(
  pin: GroupPin,
  { region, group }: Pick<GroupSettings, 'region' | 'group'>,
): string[] {
  return pin.group === group && pin.region === region
    ? []
    : [
        `the run uses the group ${pin.group} in ${pin.region}, but the settings name ${group} in ${region}: carry the run on with the settings that it began with`,
      ];
}
