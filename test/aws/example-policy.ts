import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const oneOrMany = z.union([z.string().transform((text) => [text]), z.array(z.string()).min(1)]);

const policySchema = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(
    z.strictObject({
      Sid: z.string().regex(/^[A-Za-z0-9]+$/),
      Effect: z.literal('Allow'),
      Action: oneOrMany,
      Resource: oneOrMany,
    }),
  ),
});

interface ExamplePolicy {
  readonly actions: readonly string[];
  /** Those that are allowed for every resource. */
  readonly anywhere: readonly string[];
  /** The resources of an action. */
  readonly resourcesOf: (action: string) => string[];
}

/** A policy of `examples/aws`, which a user takes as it is but for the names in it. */
export async function readPolicy(role: 'orchestrator' | 'workers'): Promise<ExamplePolicy> {
  const file = new URL(`../../examples/aws/${role}-policy.json`, import.meta.url);
  const { Statement: statements } = policySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  const open = statements.filter(({ Resource }) => Resource.includes('*'));
  return {
    actions: statements.flatMap(({ Action }) => Action),
    anywhere: open.flatMap(({ Action }) => Action),
    resourcesOf: (action) =>
      statements.flatMap(({ Action, Resource }) => (Action.includes(action) ? Resource : [])),
  };
}
