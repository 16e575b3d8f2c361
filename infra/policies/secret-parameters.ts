import type { Rule } from './rule.ts';
import { at, isNone } from './values.ts';

/** Words of a name that say that its value is a secret, or has one in it as a URL may. */
const SECRET_WORDS = new Set(['token', 'password', 'secret', 'key', 'url']);

export const secretParameters: Rule = {
  name: 'secret-parameters',
  description: 'Parameters whose names speak of secrets are SecureStrings.',
  check: ({ type, props }) => {
    const name = at(props, 'name');
    if (type !== 'aws:ssm/parameter:Parameter' || typeof name !== 'string' || !soundsSecret(name)) return [];
    if (!isNone(at(props, 'type'), 'SecureString')) return [];
    return [
      {
        where: 'type',
        what: `The parameter ${name} would be readable in plain for everybody who may list parameters.`,
        remedy: 'Set it to "SecureString".',
      },
    ];
  },
};

/** By its last part: `/reindex-fleet/books/worker/database_url`. */
function soundsSecret(name: string): boolean {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const words = last.split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])/);
  return words.some((word) => SECRET_WORDS.has(word.toLowerCase().replace(/s$/, '')));
}
