import * as pulumi from '@pulumi/pulumi';
import { z } from 'zod';

/**
 * A value that a stack's configuration gives, or that another resource of a program will have (an output). What is there
 * already is checked; an output cannot be before the deployment, and is taken as it comes.
 */
export function inputOf<Output, Input>(
  schema: z.ZodType<Output, Input>,
): z.ZodType<pulumi.Input<Output>, pulumi.Input<Input>> {
  return z
    .custom<pulumi.Input<Input>>(() => true)
    .transform((value, context): pulumi.Input<Output> => {
      if (pulumi.Output.isInstance(value)) return value as unknown as pulumi.Output<Output>;
      const checked = schema.safeParse(value);
      if (checked.success) return checked.data;
      for (const { path, message } of checked.error.issues)
        context.addIssue({ code: 'custom', path, message });
      return z.NEVER;
    });
}
