import type { z } from 'zod';

/** Adds a fault for each name that is more than once in a list. `what` names them in the sentence: `the index`. */
export function requireDistinct(names: readonly string[], what: string, context: z.RefinementCtx): void {
  for (const name of new Set(names.filter((name, i) => names.indexOf(name) !== i)))
    context.addIssue({ code: 'custom', message: `${what} ${name} is there twice` });
}
