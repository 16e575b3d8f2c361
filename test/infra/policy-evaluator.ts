import { conditionsHold, type RequestContext } from './policy-conditions.ts';
import type { ParsedPolicy, ParsedStatement } from './policy-document.ts';
import { matchesAction, matchesResource } from './policy-matching.ts';

/**
 * IAM's decision over policies, as its user guide tells it: an explicit deny anywhere wins, then an allow is needed, of the
 * identity or, in the same account, of the resource; a permissions boundary must allow too.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 *
 * There are no policies of organisations and sessions here, and everything is in one account.
 */

export interface AccessRequest {
  /** `autoscaling:SetDesiredCapacity`. */
  readonly action: string;
  /** An ARN; `*` where the action knows none. */
  readonly resource: string;
  readonly context: RequestContext;
  /** The ARN of a role or user, or a service such as `lambda.amazonaws.com`. */
  readonly principal: string;
}

export interface Policies {
  /** Of the one who calls. */
  readonly identity: readonly ParsedPolicy[];
  /** Of what is called, e.g. a bucket's policy. */
  readonly resource?: ParsedPolicy | null;
  /** The permissions boundary of the one who calls. */
  readonly boundary?: ParsedPolicy | null;
}

export type Decision = 'allowed' | 'denied explicitly' | 'denied implicitly';

/** @throws Error where the documents say something that is not understood here */
export function decide(
  request: AccessRequest,
  { identity, resource = null, boundary = null }: Policies,
): Decision {
  const ofIdentity = effectsOf(identity, request);
  const ofResource = effectsOf(resource === null ? [] : [resource], request);
  const ofBoundary = effectsOf(boundary === null ? [] : [boundary], request);
  if ([ofIdentity, ofResource, ofBoundary].some((effects) => effects.has('Deny'))) return 'denied explicitly';
  if (boundary !== null && ofResource.has('Allow'))
    throw new Error(
      'How far a boundary binds what a resource allows depends on its principal: not decided here.',
    );
  const isBound = boundary !== null && !ofBoundary.has('Allow');
  const isAllowed = ofIdentity.has('Allow') || ofResource.has('Allow');
  return isAllowed && !isBound ? 'allowed' : 'denied implicitly';
}

/**
 * Whether the trust policy of a role lets somebody take it on. Here an allow of the identity alone is not enough.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-req-context.html
 */
export function trusts(trust: ParsedPolicy, principal: string, context: RequestContext): boolean {
  const request = { action: 'sts:AssumeRole', resource: '*', context, principal };
  return decide(request, { identity: [], resource: trust }) === 'allowed';
}

/** Looks at every statement. So a part that is not understood is found even if other statements decide. */
function effectsOf(
  policies: readonly ParsedPolicy[],
  request: AccessRequest,
): ReadonlySet<ParsedStatement['Effect']> {
  const statements = policies.flatMap(({ Statement }) => Statement);
  return new Set(statements.filter((statement) => applies(statement, request)).map(({ Effect }) => Effect));
}

function applies(
  statement: ParsedStatement,
  { action, resource, context, principal }: AccessRequest,
): boolean {
  const { Action, NotAction, Resource, NotResource, Principal, Condition } = statement;
  return [
    conditionsHold(Condition, context),
    Action?.some((pattern) => matchesAction(pattern, action)) ?? true,
    !(NotAction?.some((pattern) => matchesAction(pattern, action)) ?? false),
    Resource?.some((pattern) => matchesResource(pattern, resource)) ?? true,
    !(NotResource?.some((pattern) => matchesResource(pattern, resource)) ?? false),
    Principal === undefined || isNamed(Principal, principal),
  ].every(Boolean);
}

/** A principal is a whole name, or everybody. It cannot have a pattern. */
function isNamed(
  { AWS = [], Service = [] }: NonNullable<ParsedStatement['Principal']>,
  principal: string,
): boolean {
  const isService = principal.endsWith('.amazonaws.com');
  return isService
    ? Service.includes(principal) || AWS.includes('*')
    : AWS.some((name) => name === '*' || name === principal);
}
