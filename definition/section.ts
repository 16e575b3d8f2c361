import { z } from 'zod';
import { didYouMean } from './nearest.ts';

/**
 * A map of settings, in a file that a person writes. An unknown one is a fault that says what was meant; the issue's
 * message has one line for each of them, which `checkYaml` takes apart.
 *
 * @param message of what is no map
 * @param hint stands behind the known settings where an unknown one is like none of them
 */
export function section<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  message = 'Write a map of settings here.',
  hint = '',
) {
  const names = Object.keys(shape);
  const unknown = (key: string) =>
    `This is not a setting.${didYouMean(key, names) || ` Known here: ${names.join(', ')}.${hint}`}`;
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? issue.keys.map(unknown).join('\n') : message),
  });
}
