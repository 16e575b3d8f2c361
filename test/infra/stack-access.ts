import type { FleetAccess, FleetRole } from './fleet-access.ts';
import { type ParsedPolicy, parsePolicy } from './policy-document.ts';
import type { ProgramRun } from './program-run.ts';
import { ofType, physicalName } from './resources.ts';

/** The policies that a stack's program registers, and the trust of its roles. */
export interface StackAccess extends FleetAccess {
  readonly trusts: Readonly<Record<Exclude<FleetRole, 'orchestrator'>, ParsedPolicy>>;
}

/** Found by the ends of their physical names. */
export function stackAccess(run: ProgramRun): StackAccess {
  const documentOf = (type: string, nameEnd: string, input: string): unknown => {
    const found = ofType(run, type).filter((registration) => physicalName(registration)?.endsWith(nameEnd));
    if (found.length !== 1) throw new Error(`The stack has ${found.length} of ${type} …${nameEnd}.`);
    return found[0]?.inputs[input];
  };
  const ofRole = (nameEnd: string): ParsedPolicy =>
    parsePolicy(documentOf('aws:iam/rolePolicy:RolePolicy', nameEnd, 'policy'), 'identity');
  const trustOf = (nameEnd: string): ParsedPolicy =>
    parsePolicy(documentOf('aws:iam/role:Role', nameEnd, 'assumeRolePolicy'), 'trust');
  return {
    identities: {
      orchestrator: parsePolicy(documentOf('aws:iam/policy:Policy', '-orchestrator', 'policy'), 'identity'),
      workers: ofRole('-workers'),
      sweeper: ofRole('-sweeper'),
      scheduler: ofRole('-scheduler'),
    },
    bucket: parsePolicy(documentOf('aws:s3/bucketPolicy:BucketPolicy', '', 'policy'), 'resource'),
    trusts: { workers: trustOf('-workers'), sweeper: trustOf('-sweeper'), scheduler: trustOf('-scheduler') },
  };
}
