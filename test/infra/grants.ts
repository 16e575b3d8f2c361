import type { AskedPermission } from './enforced-policies.ts';
import type { FleetAccess, FleetRole } from './fleet-access.ts';
import { matchesAction, matchesResource } from './policy-matching.ts';

/** One action that a role's policy allows on one resource or pattern of them. */
export interface Grant {
  readonly who: FleetRole;
  readonly action: string;
  readonly resource: string;
}

export function grantsOf({ identities }: FleetAccess): Grant[] {
  return (Object.entries(identities) as [FleetRole, FleetAccess['identities'][FleetRole]][]).flatMap(
    ([who, { Statement }]) =>
      Statement.flatMap(({ Action = [], Resource = [] }) =>
        Action.flatMap((action) => Resource.map((resource) => ({ who, action, resource }))),
      ),
  );
}

/** Those that none of these permissions needed. */
export function unusedGrants(grants: readonly Grant[], asked: readonly AskedPermission[]): Grant[] {
  const isUsed = ({ who, action, resource }: Grant): boolean =>
    asked.some(
      (permission) =>
        permission.isAllowed &&
        permission.who === who &&
        matchesAction(action, permission.action) &&
        matchesResource(resource, permission.resource),
    );
  return grants.filter((grant) => !isUsed(grant));
}
