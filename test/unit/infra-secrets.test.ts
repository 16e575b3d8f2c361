import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { autoScalingSection } from '../../orchestrator/fleet/auto-scaling/settings.ts';
import { loadSettings } from '../../orchestrator/settings.ts';
import { everyRun } from '../infra/every-run.ts';
import { type ProgramRun, type StackConfiguration, tryProgram } from '../infra/program-run.ts';
import { MADE_TOKEN } from '../infra/provider.ts';
import { ofType, one, physicalName, shownBy, userDataOf, workerParameters } from '../infra/resources.ts';
import { configurations, HIDDEN } from '../infra/stack-configurations.ts';

vi.setConfig({ testTimeout: 240_000 });

const PARAMETER = 'aws:ssm/parameter:Parameter';
const SECRET = /HiddenWord|MadeToken/;

describe('the secrets of a stack', () => {
  it('are visible nowhere: not in the plan, state, outputs or user data', () =>
    everyRun((run) => {
      expect(shownBy(run)).not.toMatch(SECRET);
      expect(userDataOf(run)).not.toMatch(SECRET);
    }));

  it('reach AWS only as SecureString parameters of the workers', () =>
    everyRun((run) => {
      const holders = run.registrations.filter(({ inputs }) => SECRET.test(JSON.stringify(inputs)));
      expect(holders.length).toBeGreaterThan(0);
      for (const { type, inputs, shown } of holders) {
        expect({ type, form: inputs.type, value: shown.value }).toEqual({
          type: PARAMETER,
          form: 'SecureString',
          value: '[secret]',
        });
        expect(JSON.stringify({ ...inputs, value: null })).not.toMatch(SECRET);
      }
    }));

  it('are the only parameters that a preview hides', () =>
    everyRun((run) => {
      const plain = ofType(run, PARAMETER).filter(({ inputs }) => inputs.type === 'String');
      expect(plain.length).toBeGreaterThan(0);
      for (const { shown } of plain) {
        expect(shown.value).toBeUndefined();
        expect(shown.insecureValue).toEqual(expect.any(String));
      }
    }));

  it('are marked in the value of every SecureString, in state too', () =>
    everyRun((run) => {
      const secrets = ofType(run, PARAMETER).filter(({ inputs }) => inputs.type === 'SecureString');
      const seen = secrets.flatMap(({ urn, shown }) => [shown.value, run.states.get(urn)?.shown.value]);
      expect([...new Set(seen)]).toEqual(['[secret]']);
    }));

  it('arrive at the workers unchanged', () =>
    everyRun((run, { source_password, target_password, target_api_key }) => {
      const values = workerParameters(run);
      const { password } = new URL(values.database_url ?? '');
      expect(decodeURIComponent(password)).toBe(source_password ?? '');
      expect(values.search_password).toBe(target_password);
      expect(values.search_api_key).toBe(target_api_key);
      expect(values.token).toBe(MADE_TOKEN);
    }));

  it('appear in no message about faulty settings', async () => {
    const wrongs = fc.constantFrom<StackConfiguration>(
      { image: 'no image' },
      { source_pasword: HIDDEN },
      { source: { url: `postgres://reader:${HIDDEN}@10.0.0.5/shop` } },
      { source: { url: `postgres://reader@10.0.0.5/shop?password=${HIDDEN}` } },
      { source: { url: HIDDEN } },
      { source: { url: 'postgres://10.0.0.5/shop', password: HIDDEN } },
      { source: HIDDEN },
      { target: { url: `https://indexer:${HIDDEN}@10.0.0.6:9200` } },
      { target: { url: 'https://10.0.0.6', username: HIDDEN }, target_api_key: HIDDEN },
      { instances: { parameters: { token: HIDDEN, search_password: HIDDEN, database_url: HIDDEN } } },
    );
    await fc.assert(
      fc.asyncProperty(configurations, wrongs, async (configuration, wrong) => {
        const { error, run } = await tryProgram({ ...configuration, ...wrong });
        expect(String(error?.reason)).toContain("The stack's configuration is not right");
        expect(String(error?.reason)).not.toContain(HIDDEN);
        expect(run.registrations).toHaveLength(1);
      }),
    );
  });
});

describe('the stack output `settings`', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stack-settings-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const read = async (run: ProgramRun) => {
    const file = join(folder, 'reindex-fleet.yaml');
    await writeFile(file, JSON.stringify(run.outputs.settings));
    return loadSettings({ settings: file }, {}, folder);
  };

  it('is a settings file that the orchestrator accepts, and names the resources of the stack', () =>
    everyRun(async (run) => {
      const { aws, backend, journal } = await read(run);
      expect(backend.traits.section).toBe('auto_scaling');
      const { auto_scaling } = run.outputs.settings as Record<string, unknown>;
      const group = autoScalingSection.parse(auto_scaling);
      const names = (type: string, name: string | null = null) => physicalName(one(run, type, name));
      expect(aws).toMatchObject({ region: 'eu-central-1' });
      expect(group).toMatchObject({
        group: names('aws:autoscaling/group:Group'),
        token_parameter: names(PARAMETER, 'fleet-worker-token'),
      });
      expect(journal.url).toMatch(new RegExp(`^s3://${names('aws:s3/bucket:Bucket')}/[^/]`));
      expect(`resolve:ssm:${group.image_parameter}`).toBe(
        one(run, 'aws:ec2/launchTemplate:LaunchTemplate').inputs.imageId,
      );
      expect(String(group.worker_port)).toBe(one(run, PARAMETER, 'fleet-worker-port').inputs.insecureValue);
    }));

  it('contains the settings that the configuration gives', () =>
    everyRun(async (run, configuration) => {
      const { fleet = 'production', source, target, workers, ranges = {}, validate = {} } = configuration;
      expect(await read(run)).toMatchObject({ fleet, source, target, workers, ranges, validate });
    }));

  it('tells the sweeper’s function everything it needs, within Lambda’s limits', () =>
    everyRun((run) => {
      const { environment } = one(run, 'aws:lambda/function:Function').inputs;
      const { variables } = environment as { variables: Record<string, string> };
      const text = variables.REINDEX_FLEET_SETTINGS ?? '';
      const { settings } = run.outputs as { settings: Record<string, unknown> };
      for (const [name, value] of Object.entries(JSON.parse(text) as object))
        expect(value).toEqual(settings[name]);
      expect(Buffer.byteLength(text)).toBeLessThan(4_096);
    }));
});
