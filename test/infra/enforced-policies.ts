import type { AwsCall } from '../aws/aws-call.ts';
import type { ApiProxy } from '../aws/api-proxy.ts';
import { ACCOUNT_ID } from '../aws/aws-clients.ts';
import { type AwsError, denialOf } from '../aws/aws-fault-answer.ts';
import type { FleetAccess, FleetRole } from './fleet-access.ts';
import { decide } from './policy-evaluator.ts';
import { type CloudFacts, permissionsOf, type RequiredPermission } from './required-permissions.ts';

/** A permission that a call wanted, and whether it was given. */
export interface AskedPermission extends RequiredPermission {
  readonly who: FleetRole;
  readonly call: AwsCall;
  readonly isAllowed: boolean;
}

/** From now on a proxy lets a call through only if the fleet's policies allow it. */
export interface EnforcedPolicies {
  /** In the order of the calls. */
  readonly asked: readonly AskedPermission[];
  /** Sentences for faults of the test: calls of an unknown caller, or with unknown permissions. */
  readonly unknown: readonly string[];
}

export interface Enforcement {
  readonly proxy: ApiProxy;
  readonly access: FleetAccess;
  readonly facts: CloudFacts;
  /** Who calls, by access key. */
  readonly callers: Readonly<Record<string, FleetRole>>;
}

export function enforcePolicies({ proxy, access, facts, callers }: Enforcement): EnforcedPolicies {
  const asked: AskedPermission[] = [];
  const unknown: string[] = [];
  const guard = async (call: AwsCall, accessKeyId: string): Promise<AwsError | null> => {
    const who = callers[accessKeyId];
    if (who === undefined) throw new Error(`Nobody has the access key ${accessKeyId}.`);
    const permissions = (await permissionsOf(call, facts)).map(
      (permission): AskedPermission => ({
        ...permission,
        who,
        call,
        isAllowed: isAllowed(access, who, permission),
      }),
    );
    asked.push(...permissions);
    const denied = permissions.find((permission) => !permission.isAllowed);
    return denied === undefined ? null : denialOf(call.service, { caller: arnOf(who), ...denied });
  };
  proxy.guard(async (call, accessKeyId) => {
    try {
      return await guard(call, accessKeyId);
    } catch (error) {
      unknown.push(String(error));
      throw error;
    }
  });
  return { asked, unknown };
}

/** The processes of the tests speak plain HTTP to an API on their own machine: in life that is TLS. */
const OVER_TLS = { 'aws:SecureTransport': 'true' };

function isAllowed(
  { identities, bucket }: FleetAccess,
  who: FleetRole,
  { action, resource, context }: RequiredPermission,
): boolean {
  const request = { action, resource, context: { ...OVER_TLS, ...context }, principal: arnOf(who) };
  const policies = { identity: [identities[who]], resource: action.startsWith('s3:') ? bucket : null };
  return decide(request, policies) === 'allowed';
}

function arnOf(who: FleetRole): string {
  return `arn:aws:iam::${ACCOUNT_ID}:role/${who}`;
}
