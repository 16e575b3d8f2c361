import { z } from 'zod';
import { MISSING } from '../definition/yaml-file.ts';

/** A whole number within bounds. One sentence says whatever is wrong with it. */
export const whole = (least: number, most: number, unit = '') => {
  const message = `A whole number${unit} from ${least} to ${most}.`;
  return z.int(message).min(least, message).max(most, message);
};

export const ms = (fallback: number) => whole(1, 86_400_000, ' of milliseconds').default(fallback);

export const text = z
  .string({ error: ({ input }) => (input === undefined ? MISSING : 'A text.') })
  .trim()
  .min(1, 'Not empty.');
