import { z } from 'zod';
import { ClusterError } from '../cluster-error.ts';
import type { SearchCalls } from '../search-calls.ts';
import { matchesPattern } from '../wildcard.ts';

const patterns = z.union([z.string().transform((pattern) => [pattern]), z.array(z.string())]);
const composableSchema = z.object({
  index_templates: z.array(
    z.object({
      name: z.string(),
      index_template: z.object({ index_patterns: patterns, priority: z.number().optional() }),
    }),
  ),
});
const legacySchema = z.record(z.string(), z.object({ index_patterns: patterns }));

interface Template {
  readonly name: string;
  readonly patterns: readonly string[];
}

/**
 * Says in a sentence which index templates are merged into an index of this name: the composable one of the highest
 * priority, or where there is none, every legacy one whose pattern matches. Whoever may not see templates learns that.
 */
export async function whereItCameFrom(cluster: SearchCalls, index: string): Promise<string> {
  const found = await matchingTemplates(cluster, index);
  return found ?? 'No index template matches its name, so the cluster or somebody else has set this.';
}

/** The same sentence, or null where no template matches. */
export async function matchingTemplates(cluster: SearchCalls, index: string): Promise<string | null> {
  const [composable, legacy] = await Promise.all([
    lookUp(cluster, '/_index_template', composableSchema),
    lookUp(cluster, '/_template', legacySchema),
  ]);
  if (composable === null && legacy === null)
    return 'This user may not see the index templates (`GET /_index_template`), and one probably matches its name.';
  const [first] = (composable?.index_templates ?? [])
    .map(({ name, index_template: { index_patterns, priority = 0 } }) => ({
      name,
      patterns: index_patterns,
      priority,
    }))
    .filter((template) => matches(template, index))
    .sort((a, b) => b.priority - a.priority);
  if (first !== undefined) return `The index template ${describe(first)} matches its name.`;
  const others = Object.entries(legacy ?? {})
    .map(([name, { index_patterns }]) => ({ name, patterns: index_patterns }))
    .filter((template) => matches(template, index));
  if (others.length > 0)
    return `The legacy index template ${others.map(describe).join(' and ')} matches its name.`;
  return null;
}

/** Null where the cluster does not say: a look that is forbidden, or unknown to this product, is no fault. */
async function lookUp<T>(cluster: SearchCalls, path: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.safeParse(await cluster.call('GET', path)).data ?? null;
  } catch (error) {
    if (error instanceof ClusterError && error.status !== 0) return null;
    throw error;
  }
}

function matches({ patterns: all }: Template, index: string): boolean {
  return all.some((pattern) => matchesPattern(index, pattern));
}

function describe({ name, patterns: all }: Template): string {
  return `"${name}" (pattern ${all.map((pattern) => `"${pattern}"`).join(', ')})`;
}
