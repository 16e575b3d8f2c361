import { z } from 'zod';
import { didYouMean } from './nearest.ts';

/**
 * A map of settings, in a file that a person writes. An unknown setting is a fault that suggests what was meant. The
 * issue's message has one line for each unknown setting, which `checkYaml` takes apart.
 *
 * @param message for what is not a map
 * @param hint follows the known settings if an unknown one resembles none of them
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
