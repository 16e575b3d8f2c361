import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openAws } from '../../orchestrator/aws/clients.ts';

test('a named AWS profile takes precedence over credentials in the environment, for every client', async ({
  onTestFinished,
}) => {
  const folder = await mkdtemp(join(tmpdir(), 'aws-profile-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  onTestFinished(() => void vi.unstubAllEnvs());
  const file = join(folder, 'credentials');
  await writeFile(file, '[stage]\naws_access_key_id = of-the-profile\naws_secret_access_key = hush\n');
  const environment = {
    AWS_SHARED_CREDENTIALS_FILE: file,
    AWS_CONFIG_FILE: join(folder, 'none'),
    AWS_PROFILE: undefined,
    AWS_ACCESS_KEY_ID: 'of-the-environment',
    AWS_SECRET_ACCESS_KEY: 'hush',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  // The SDK says which of the two it takes.
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  onTestFinished(() => warned.mockRestore());

  const keysOf = async (aws: ReturnType<typeof openAws>): Promise<string[]> => {
    const clients = await Promise.all([aws.s3(), aws.sts(), aws.ssm(), aws.ec2(), aws.autoScaling()]);
    const credentials = await Promise.all(clients.map((client) => client.config.credentials()));
    aws.close();
    return credentials.map(({ accessKeyId }) => accessKeyId);
  };
  const five = (key: string): string[] => Array.from({ length: 5 }, () => key);
  expect(await keysOf(openAws('eu-central-1', { profile: 'stage' }))).toEqual(five('of-the-profile'));
  expect(await keysOf(openAws('eu-central-1'))).toEqual(five('of-the-environment'));
});
