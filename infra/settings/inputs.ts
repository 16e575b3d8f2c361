import * as pulumi from '@pulumi/pulumi';
import { z } from 'zod';

/**
 * A value from a stack's configuration, or an output of another resource of a program. A value that is known is checked. An
 * output is known only in the deployment and is not checked.
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
