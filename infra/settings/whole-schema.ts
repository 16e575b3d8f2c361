import { z } from 'zod';
import { formerFaults } from './former-names.ts';
import { type StackInput, type StackSettings, stackShape } from './schema.ts';
import { faultsTogether } from './together.ts';

/** A stack's whole settings: their form, what does not go together, and names of earlier versions. */
export const stackSchema = z
  .custom<StackInput>(() => true)
  .transform((given, context): StackSettings => {
    const { aws, ...current } = mapOf(given);
    const former = aws === undefined ? [] : formerFaults(aws);
    const checked = stackShape.safeParse(current, { reportInput: true });
    const sections = checked.data ?? soundSections(current);
    const issues = [...former, ...(checked.error?.issues ?? []), ...faultsTogether(sections)];
    for (const issue of issues) context.addIssue({ ...issue });
    return checked.data ?? z.NEVER;
  });

/** Those that are as they must be, so that what does not go together among them is named along with what is wrong elsewhere. */
function soundSections(given: Readonly<Record<string, unknown>>): Partial<StackSettings> {
  return Object.fromEntries(
    Object.entries(stackShape.shape).flatMap(([name, schema]) => {
      const { success, data } = schema.safeParse(given[name]);
      return success ? [[name, data]] : [];
    }),
  );
}

function mapOf(given: unknown): Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null ? { ...given } : {};
}
