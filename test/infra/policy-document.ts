import { z } from 'zod';

/**
 * A policy document as `policy-evaluator.ts` understands it. What it does not understand is an error, for an evaluator that
 * passes over an element allows too much or too little.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */

const oneOrMany = <Item extends z.ZodType<string>>(item: Item) =>
  z.union([item.transform((text) => [text]), z.array(item).min(1)]);

/** `${aws:username}` and the like stand for what the request says, which is not looked up here. */
const plain = z.string().regex(/^(?!.*\$\{)/s, 'Policy variables (${…}) are not understood.');
const action = plain.regex(/^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$/i, 'An action: service:Name.');
const resource = plain.regex(/^(\*|arn:[^:]+:[^:]+:[^:]*:[^:]*:.+)$/, 'An ARN or *.');
/** An account (its number, or `:root`) hands on to the policies of its own identities, which is not followed here. */
const principalName = plain.regex(
  /^(\*|[a-z0-9-]+\.amazonaws\.com|arn:[^:]+:(iam|sts)::\d{12}:(?!root$).+)$/,
  'A role, a user, a service or *.',
);

interface Named {
  readonly AWS?: string[] | undefined;
  readonly Service?: string[] | undefined;
}

const statement = z
  .strictObject({
    Sid: z
      .string()
      .regex(/^[A-Za-z0-9]+$/)
      .optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Principal: z
      .union([
        z.literal('*').transform((): Named => ({ AWS: ['*'] })),
        z.strictObject({
          AWS: oneOrMany(principalName).optional(),
          Service: oneOrMany(principalName).optional(),
        }),
      ])
      .optional(),
    Action: oneOrMany(action).optional(),
    NotAction: oneOrMany(action).optional(),
    Resource: oneOrMany(resource).optional(),
    NotResource: oneOrMany(resource).optional(),
    Condition: z.record(z.string(), z.record(z.string(), oneOrMany(plain))).optional(),
  })
  .refine(({ Action, NotAction }) => (Action === undefined) !== (NotAction === undefined), {
    message: 'Either Action or NotAction.',
  })
  .refine(({ Resource, NotResource }) => Resource === undefined || NotResource === undefined, {
    message: 'Resource or NotResource, not both.',
  });

const document = z.strictObject({
  // Another version, or none, knows no variables and means `${` as it stands.
  Version: z.literal('2012-10-17'),
  Statement: z.array(statement).min(1),
});

export type ParsedPolicy = z.output<typeof document>;
export type ParsedStatement = z.output<typeof statement>;

/**
 * @param policy as an object, or the JSON that a resource is registered with
 * @param kind a trust policy speaks of its own role, so it names no resource
 * @throws Error that names what is not understood
 */
export function parsePolicy(policy: unknown, kind: 'identity' | 'resource' | 'trust'): ParsedPolicy {
  const parsed = document.parse(typeof policy === 'string' ? JSON.parse(policy) : policy);
  for (const { Sid = 'a statement', Principal, Resource, NotResource } of parsed.Statement) {
    if ((Principal !== undefined) !== (kind !== 'identity'))
      throw new Error(`${Sid}: a principal stands in policies of resources, and only there.`);
    if ((Resource ?? NotResource) === undefined && kind !== 'trust')
      throw new Error(`${Sid}: there is no resource.`);
  }
  return parsed;
}
