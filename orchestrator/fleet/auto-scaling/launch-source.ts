import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { GroupPin } from './group-pin.ts';
import type { GroupReads } from './group-reads.ts';
import { isNumbered, type NamedTemplate, templateOf, templateWords } from './launch-template.ts';

/** What the group would launch from now. */
export interface LaunchSource {
  /** With the version's number; null: there is none. */
  readonly template: NamedTemplate | null;
  /** Null: there is none, or none is pinned. */
  readonly parameter: { readonly version: number; readonly image: string } | null;
}

/** In no call where the group names a version's number and no parameter is pinned, else in one for each, at the same time. */
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
  'it launches no more and goes on with the workers that it has; for the new one, end it with `reindex-fleet abandon` and begin another';

/** Why whatever is launched now would not be what the run is pinned to; null: it would be. */
export function launchFaultOf(pin: GroupPin, { template, parameter }: LaunchSource): string | null {
  if (template === null)
    return `the group ${pin.group} has lost its launch template, and this run is pinned to ${templateWords(pin.template)}: ${WHAT_TO_DO}`;
  if (template.id !== pin.template.id || template.version !== pin.template.version)
    return `the group ${pin.group} now launches from ${templateWords(template)}, and this run is pinned to ${templateWords(pin.template)}: ${WHAT_TO_DO}`;
  return pin.parameter === null ? null : parameterFault(pin, pin.parameter, parameter);
}

function parameterFault(
  pin: GroupPin,
  { name, version }: NonNullable<GroupPin['parameter']>,
  now: LaunchSource['parameter'],
): string | null {
  const pinned = `this run is pinned to its version ${version} (${pin.image})`;
  if (now === null) return `the image parameter ${name} is gone, and ${pinned}: ${WHAT_TO_DO}`;
  return now.version === version && now.image === pin.image
    ? null
    : `the image parameter ${name} is now at version ${now.version} (${now.image}), and ${pinned}: ${WHAT_TO_DO}`;
}
