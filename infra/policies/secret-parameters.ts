import type { Rule } from './rule.ts';
import { at, isNone } from './values.ts';

/** Words in names of secrets, or of values that may contain a secret, such as a URL. */
const SECRET_WORDS = new Set(['token', 'password', 'secret', 'key', 'url']);

export const secretParameters: Rule = {
  name: 'secret-parameters',
  description: 'Parameters with the name of a secret are SecureStrings.',
  check: ({ type, props }) => {
    const name = at(props, 'name');
    if (type !== 'aws:ssm/parameter:Parameter' || typeof name !== 'string' || !soundsSecret(name)) return [];
    if (!isNone(at(props, 'type'), 'SecureString')) return [];
    return [
      {
        where: 'type',
        what: `Everybody who may read parameters could read ${name} in plain text.`,
        remedy: 'Set it to "SecureString".',
      },
    ];
  },
};

/** Looks at the last part of a name: `/reindex-fleet/books/worker/database_url`. */
function soundsSecret(name: string): boolean {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const words = last.split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])/);
  return words.some((word) => SECRET_WORDS.has(word.toLowerCase().replace(/s$/, '')));
}
