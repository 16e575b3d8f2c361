import { randomInt } from 'node:crypto';
import type * as aws from '@pulumi/aws';
import type { Unwrap } from '@pulumi/pulumi';
import type * as random from '@pulumi/random';
import { kind } from './kind.ts';
import { members, tagList } from './names.ts';

export const parameter = kind<Unwrap<aws.ssm.ParameterArgs>>({
  type: 'aws:ssm/parameter:Parameter',
  async make({ tags, insecureValue, ...others }, call) {
    await call('ssm', 'PutParameter', {
      ...members({ ...others, value: others.value ?? insecureValue }),
      Tags: tagList(tags),
    });
    return { id: others.name ?? '' };
  },
  async remove({ name }, call) {
    await call('ssm', 'DeleteParameter', { Name: name });
  },
});

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** This is no resource of AWS. The provider draws the value, and only Pulumi's state has it. */
export const randomPassword = kind<Unwrap<random.RandomPasswordArgs>>({
  type: 'random:index/randomPassword:RandomPassword',
  untold: { keepers: 'another value draws another password' },
  make({ length, special, ...others }) {
    const further = Object.keys(others);
    if (special !== false || further.length > 0)
      throw new Error(`Such a password is not drawn here: special ${special}, ${further.join(', ')}.`);
    const draw = (): string => LETTERS_AND_DIGITS.charAt(randomInt(LETTERS_AND_DIGITS.length));
    return Promise.resolve({ id: 'none', outputs: { result: Array.from({ length }, draw).join('') } });
  },
  remove: () => Promise.resolve(),
});
