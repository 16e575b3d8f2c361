import { type Granted, statementsOf } from './documents.ts';
import type { Checked, Rule, Violation } from './rule.ts';
import { listAt, textsAt } from './values.ts';

/** A policy names each action that it allows. A pattern would also allow actions that AWS adds later. */
export const noWildcards: Rule = {
  name: 'no-wildcards',
  description: 'Policies allow named actions to named principals.',
  check: (resource) => [
    ...statementsOf(resource)
      .filter(({ effect }) => effect === 'Allow')
      .flatMap(faults),
    ...managedByAws(resource),
  ],
};

function faults({ where, actions, principal, not }: Granted): Violation[] {
  return [
    ...actions
      .filter((action) => /[*?]/.test(action))
      .map((action) => ({
        where,
        what: `It allows every action that matches "${action}".`,
        remedy: 'Name each action that the fleet needs.',
      })),
    ...not.map((element) => ({
      where,
      what: `It allows all but what its ${element} names.`,
      remedy: `Name what it allows in ${element.slice('Not'.length)}.`,
    })),
    ...(isAnybody(principal)
      ? [
          {
            where,
            what: 'It allows it to anybody (Principal "*").',
            remedy: 'Name the accounts, roles or services.',
          },
        ]
      : []),
  ];
}

/** `"*"`, or `{ "AWS": "*" }`, alone or in a list. */
function isAnybody(principal: unknown): boolean {
  if (principal === '*') return true;
  if (typeof principal !== 'object' || principal === null) return false;
  return Object.keys(principal).some((kind) => textsAt(principal, kind).includes('*'));
}

const ATTACHMENTS: ReadonlySet<string> = new Set([
  'aws:iam/rolePolicyAttachment:RolePolicyAttachment',
  'aws:iam/userPolicyAttachment:UserPolicyAttachment',
  'aws:iam/groupPolicyAttachment:GroupPolicyAttachment',
  'aws:iam/policyAttachment:PolicyAttachment',
]);

/** They are full of wildcards, and AWS changes them. */
function managedByAws({ type, props }: Checked): Violation[] {
  const where = ATTACHMENTS.has(type)
    ? 'policyArn'
    : type === 'aws:iam/role:Role'
      ? 'managedPolicyArns'
      : null;
  if (where === null) return [];
  return listAt(props, where)
    .filter((arn) => typeof arn === 'string' && /^arn:[^:]+:iam::aws:policy\//.test(arn))
    .map((arn) => ({
      where,
      what: `${String(arn)} is a policy of AWS’s, with wildcards, that AWS may widen.`,
      remedy: 'Write a policy that names each action that is needed.',
    }));
}
