import type { Checked } from './rule.ts';
import { at, listAt, textsAt, UNKNOWN } from './values.ts';

/** A statement of an IAM policy, as far as it is known, with every list a list. */
export interface Granted {
  /** Path of the policy that it is in. */
  readonly where: string;
  readonly effect: unknown;
  readonly actions: readonly string[];
  /** The condition's operators and keys, as they are. */
  readonly condition: unknown;
  /** As it is written. Undefined: the statement has no such part. */
  readonly principal: unknown;
  /** It means all but some: NotAction, NotPrincipal. */
  readonly not: readonly ('NotAction' | 'NotPrincipal')[];
}

/** Types with a policy, and the property that has it. A KMS key's own policy is left out: `kms:*` in it means only that key. */
const POLICIES: Readonly<Record<string, string>> = {
  'aws:iam/policy:Policy': 'policy',
  'aws:iam/rolePolicy:RolePolicy': 'policy',
  'aws:iam/userPolicy:UserPolicy': 'policy',
  'aws:iam/groupPolicy:GroupPolicy': 'policy',
  'aws:iam/role:Role': 'assumeRolePolicy',
  'aws:s3/bucket:Bucket': 'policy',
  'aws:s3/bucketPolicy:BucketPolicy': 'policy',
  'aws:sns/topic:Topic': 'policy',
  'aws:sns/topicPolicy:TopicPolicy': 'policy',
  'aws:sqs/queue:Queue': 'policy',
  'aws:sqs/queuePolicy:QueuePolicy': 'policy',
};

/** All statements of a resource, which allow or deny something. */
export function statementsOf({ type, props }: Checked): Granted[] {
  const property = POLICIES[type];
  if (type === 'aws:lambda/permission:Permission') return [ofPermission(props)];
  if (property === undefined) return [];
  const inline = type === 'aws:iam/role:Role' ? listAt(props, 'inlinePolicies') : [];
  return [
    ...statementsIn(at(props, property), property),
    ...inline.flatMap((policy, index) =>
      statementsIn(at(policy, 'policy'), `inlinePolicies[${index}].policy`),
    ),
  ];
}

/** @param policy as JSON, or as the object that it stands for */
export function statementsIn(policy: unknown, where: string): Granted[] {
  return listAt(documentOf(policy), 'Statement').map((statement) => ({
    where,
    effect: at(statement, 'Effect'),
    actions: textsAt(statement, 'Action'),
    condition: at(statement, 'Condition'),
    principal: at(statement, 'Principal'),
    not: (['NotAction', 'NotPrincipal'] as const).filter((element) => at(statement, element) !== undefined),
  }));
}

/** A permission is a statement of its function's policy in another form. */
function ofPermission(props: unknown): Granted {
  return {
    where: 'action and principal',
    effect: 'Allow',
    actions: textsAt(props, 'action'),
    condition: undefined,
    principal: at(props, 'principal'),
    not: [],
  };
}

/** AWS itself refuses a text that is not JSON. */
function documentOf(policy: unknown): unknown {
  if (typeof policy !== 'string') return policy;
  try {
    return JSON.parse(policy);
  } catch {
    return UNKNOWN;
  }
}
