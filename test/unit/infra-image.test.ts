import { describe, expect, it } from 'vitest';
import { readImage } from '../../infra/image.ts';
import { checkSettings } from '../../infra/settings/check-settings.ts';
import { messageOf } from '../../orchestrator/errors.ts';
import { tryProgram } from '../infra/program-run.ts';
import { inventedProvider } from '../infra/provider.ts';
import { LEAST } from '../infra/stack-configurations.ts';

/** The image is looked up before anything is made, by what a provider answers. */

interface Answers {
  readonly 'aws:ec2/getAmi:getAmi'?: object | Error;
  readonly 'aws:ssm/getParameter:getParameter'?: object | Error;
}

async function look(image: string, answers: Answers, types = ['c7g.large']) {
  const settings = checkSettings({ ...LEAST, fleet: 'books', image, instances: { types } }, 'books');
  const asked: [string, unknown][] = [];
  const { error, run } = await tryProgram(
    {},
    {
      program: async () => ({ image: await readImage(settings, {}) }),
      provider: {
        ...inventedProvider,
        invoke: (token, args) => {
          asked.push([token, args]);
          const answer = new Map<string, object | Error>(Object.entries(answers)).get(token);
          if (answer instanceof Error) throw answer;
          return answer === undefined ? inventedProvider.invoke(token, args) : { ...answer };
        },
      },
    },
  );
  return { asked, outputs: run.outputs, error: error === null ? null : messageOf(error.reason) };
}

describe('the machine image of a stack', () => {
  it('tells which of its volumes is the root volume', async () => {
    const answer = { rootDeviceName: '/dev/sda1', architecture: 'arm64' };
    const { asked, outputs } = await look('ami-0123456789abcdef0', { 'aws:ec2/getAmi:getAmi': answer });
    expect(outputs).toEqual({ image: { rootDevice: '/dev/sda1' } });
    expect(asked).toEqual([
      [
        'aws:ec2/getAmi:getAmi',
        expect.objectContaining({ filters: [{ name: 'image-id', values: ['ami-0123456789abcdef0'] }] }),
      ],
    ]);
  });

  it('is the current value of its parameter when a parameter is named', async () => {
    const { asked } = await look('/images/reindex', {
      'aws:ssm/getParameter:getParameter': { value: 'ami-0000000000000000a' },
    });
    expect(asked.map(([, args]) => args)).toEqual([
      expect.objectContaining({ name: '/images/reindex' }),
      expect.objectContaining({ filters: [{ name: 'image-id', values: ['ami-0000000000000000a'] }] }),
    ]);
  });

  it('is reported as missing when it does not exist, and its parameter likewise', async () => {
    const none = new Error('your query returned no results');
    const image = await look('ami-0123456789abcdef0', { 'aws:ec2/getAmi:getAmi': none });
    expect(image.error).toMatch(
      /^This region has no image ami-0123456789abcdef0, or the image is not for this account\. .*no results/s,
    );
    const parameter = await look('/images/reindex', { 'aws:ssm/getParameter:getParameter': none });
    expect(parameter.error).toMatch(
      /^The image parameter \/images\/reindex cannot be read in this region\. /,
    );
  });

  it('is refused for another processor architecture than that of the instance types, which are named', async () => {
    const { error } = await look('ami-0123456789abcdef0', {}, ['c7i.large', 'm7i.large']);
    expect(error).toBe(
      'The image ami-0123456789abcdef0 is for arm64. These instances.types are not: c7i.large, m7i.large. Choose other types, or another image.',
    );
  });
});
