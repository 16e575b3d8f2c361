import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { GroupReads } from './group-reads.ts';
import { isNumbered, type NamedTemplate, templateOf, templateWords } from './launch-template.ts';
import type { GroupPin } from './group-pin.ts';

/** What the group would launch now. */
export interface LaunchSource {
  /** The launch template with its version's number. Null when the group has none. */
  readonly template: NamedTemplate | null;
  /** The image parameter as it is now. Null when it does not exist, or the run pins none. */
  readonly parameter: { readonly version: number; readonly image: string } | null;
}

/**
 * Reads what the group would launch now. A template version given by number and a run without a parameter take no call.
 * Otherwise each takes one, at the same time.
 */
export async function readLaunchSource(
  reads: GroupReads,
  group: AutoScalingGroup,
  parameter: string | null,
): Promise<LaunchSource> {
  const template = templateOf(group);
  const [numbered, found] = await Promise.all([
    template === null || isNumbered(template) ? template : numberOf(reads, template),
    parameter === null ? null : reads.parameter(parameter),
  ]);
  return {
    template: numbered,
    parameter: found === null ? null : { version: found.Version ?? 0, image: found.Value ?? '' },
  };
}

async function numberOf(reads: GroupReads, template: NamedTemplate): Promise<NamedTemplate | null> {
  const found = await reads.templateVersion(template);
  return found === null ? null : { id: template.id, version: String(found.VersionNumber) };
}

const WHAT_TO_DO =
  'this run launches no more workers and goes on with those that it has; to use the new one, end this run with `reindex-fleet abandon` and begin another';

/** Why a new instance would not match the run's pin. Null when it would. */
export function launchFaultOf(pin: GroupPin, { template, parameter }: LaunchSource): string | null {
  if (template === null)
    return `the group ${pin.group} has lost its launch template, but this run is pinned to ${templateWords(pin.template)}: ${WHAT_TO_DO}`;
  if (template.id !== pin.template.id || template.version !== pin.template.version)
    return `the group ${pin.group} now launches from ${templateWords(template)}, but this run is pinned to ${templateWords(pin.template)}: ${WHAT_TO_DO}`;
  return pin.parameter === null ? null : parameterFault(pin, pin.parameter, parameter);
}

function parameterFault(
  pin: GroupPin,
  { name, version }: NonNullable<GroupPin['parameter']>,
  now: LaunchSource['parameter'],
): string | null {
  const pinned = `this run is pinned to its version ${version} (${pin.image})`;
  if (now === null) return `the image parameter ${name} is gone, but ${pinned}: ${WHAT_TO_DO}`;
  return now.version === version && now.image === pin.image
    ? null
    : `the image parameter ${name} is now at version ${now.version} (${now.image}), but ${pinned}: ${WHAT_TO_DO}`;
}
