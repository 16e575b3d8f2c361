import { parseArgs } from 'node:util';
import { z } from 'zod';

const count = z.coerce.number().int().positive();

const optionsSchema = z
  .strictObject({
    documents: count.optional(),
    rounds: count.optional(),
    arms: z
      .string()
      .transform((text) => text.split(','))
      .optional(),
    sink: z.enum(['null', 'opensearch', 'both']).default('both'),
    quick: z.boolean().default(false),
    markdown: z.boolean().default(false),
    against: z.string().optional(),
    copy: z.boolean().default(false),
  })
  .refine(({ against, copy }) => against === undefined || !copy, {
    message: 'takes either --against or --copy',
    path: ['copy'],
  });

/** What `npm run bench` is asked for; `docs/performance.md` says what each option does. */
export type BenchOptions = z.infer<typeof optionsSchema>;

/** Reads the command line. Throws with a line for each option that is wrong. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      documents: { type: 'string' },
      rounds: { type: 'string' },
      arms: { type: 'string' },
      sink: { type: 'string' },
      quick: { type: 'boolean' },
      markdown: { type: 'boolean' },
      against: { type: 'string' },
      copy: { type: 'boolean' },
    },
  });
  const read = optionsSchema.safeParse(values);
  if (read.success) return read.data;
  throw new Error(read.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'));
}
