import { describe, expect, it } from 'vitest';
import { type InstanceValues, readBootSettings, readSettings, SettingsError } from '../../worker/settings.ts';

const LEAST = {
  REINDEX_WORKER_DATABASE_URL: 'postgres://u:p@db/x',
  REINDEX_WORKER_SEARCH_URL: 'http://search:9200',
  REINDEX_WORKER_DEFINITIONS: 'definitions',
};

function faultsOf(environment: Record<string, string>, ...args: string[]): string[] {
  try {
    readSettings(args, environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('the worker’s settings', () => {
  it('need three values and have a default for every other', () => {
    expect(readSettings([], { ...LEAST, PATH: '/bin', REINDEX_WORKER_TOKEN: '' })).toMatchObject({
      host: '127.0.0.1',
      port: 8003,
      lease_ms: 300_000,
      drain_linger_ms: 30_000,
      batch_bytes: 2_097_152,
      max_bytes_in_flight: 8_388_608,
      exit_with_parent: false,
      token: null,
      search_url: 'http://search:9200/',
      search_authorization: null,
    });
  });

  it('come from flags before the environment', () => {
    const environment = { ...LEAST, REINDEX_WORKER_PORT: '1', REINDEX_WORKER_LEASE_MS: '7000' };
    const settings = readSettings(['--port', '0', '--exit-with-parent'], environment);
    expect(settings).toMatchObject({ port: 0, lease_ms: 7_000, exit_with_parent: true });
  });

  it('take credentials from their own variables or from the URL', () => {
    const basic = `Basic ${Buffer.from('u:p@ss').toString('base64')}`;
    const inUrl = readSettings([], { ...LEAST, REINDEX_WORKER_SEARCH_URL: 'https://u:p%40ss@search/es' });
    expect([inUrl.search_url, inUrl.search_authorization]).toEqual(['https://search/es', basic]);
    const own = { ...LEAST, REINDEX_WORKER_SEARCH_USERNAME: 'u', REINDEX_WORKER_SEARCH_PASSWORD: 'p@ss' };
    expect(readSettings([], own).search_authorization).toBe(basic);
    const key = { ...LEAST, REINDEX_WORKER_SEARCH_API_KEY: 'abc' };
    expect(readSettings([], key).search_authorization).toBe('ApiKey abc');
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a missing setting', { REINDEX_WORKER_DEFINITIONS: '' }, /^REINDEX_WORKER_DEFINITIONS is missing\.$/],
    ['a port beyond ports', { REINDEX_WORKER_PORT: '65536' }, /^REINDEX_WORKER_PORT is at most 65535\.$/],
    ['what is no number', { REINDEX_WORKER_LEASE_MS: '5m' }, /^REINDEX_WORKER_LEASE_MS is a whole number\.$/],
    [
      'another database',
      { REINDEX_WORKER_DATABASE_URL: 'mysql://u:hush@x' },
      /^REINDEX_WORKER_DATABASE_URL (?!.*hush)/,
    ],
    ['an open door', { REINDEX_WORKER_HOST: '0.0.0.0' }, /^REINDEX_WORKER_TOKEN is missing; .*loopback/],
    ['a short token', { REINDEX_WORKER_TOKEN: 'abc' }, /^REINDEX_WORKER_TOKEN has at least 16 characters\.$/],
    [
      'a token that no call could carry',
      { REINDEX_WORKER_TOKEN: 'sixteen-characters-and-a-line-break\n' },
      /^REINDEX_WORKER_TOKEN has only .* no line break\.$/,
    ],
    ['another platform', { REINDEX_WORKER_PLATFORM: 'gce' }, /^REINDEX_WORKER_PLATFORM is local or ec2\.$/],
    [
      'parameters without an instance',
      { REINDEX_WORKER_PARAMETERS: '/a/b' },
      /^REINDEX_WORKER_PARAMETERS is only for the platform ec2/,
    ],
    [
      'a name without its password',
      { REINDEX_WORKER_SEARCH_USERNAME: 'u' },
      /^REINDEX_WORKER_SEARCH_PASSWORD /,
    ],
    [
      'a typing error',
      { REINDEX_WORKER_TOKN: 'x' },
      /^REINDEX_WORKER_TOKN is not a setting of the worker\. Remove it, or see --help/,
    ],
  ])('are refused with a message about %s', (_name, changes, expected) => {
    const faults = faultsOf({ ...LEAST, ...changes });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(expected);
  });

  it('are refused with all faults at once', () => {
    expect(faultsOf({ REINDEX_WORKER_PORT: 'x', REINDEX_WORKER_ODD: '1' }).length).toBeGreaterThanOrEqual(5);
  });

  it('accept no secret on the command line', () => {
    expect(faultsOf(LEAST, '--token', 'abc')).toEqual([expect.stringContaining('--token')]);
  });
});

describe('the settings of a worker on an EC2 instance', () => {
  const EC2 = { REINDEX_WORKER_PLATFORM: 'ec2', REINDEX_WORKER_PARAMETERS: '/books/worker' };
  const VALUES: InstanceValues = {
    metadata: { id: 'i-1', host: '127.0.0.9' },
    parameters: {
      database_url: 'postgres://u:p@db/x',
      search_url: 'http://search:9200',
      definitions: 'definitions',
      lease_ms: '7000',
    },
  };

  function instanceFaults(parameters: Record<string, string>, environment: Record<string, string> = {}) {
    try {
      readSettings([], { ...EC2, ...environment }, { ...VALUES, parameters });
    } catch (error) {
      if (error instanceof SettingsError) return error.message.split('\n');
      throw error;
    }
    return [];
  }

  it('come from flags, then the environment, then parameters, then metadata', () => {
    expect(readSettings([], EC2, VALUES)).toMatchObject({ id: 'i-1', host: '127.0.0.9', lease_ms: 7_000 });
    const environment = { ...EC2, REINDEX_WORKER_ID: 'me', REINDEX_WORKER_LEASE_MS: '8000' };
    expect(readSettings(['--host', '127.0.0.8', '--lease-ms', '9000'], environment, VALUES)).toMatchObject({
      id: 'me',
      host: '127.0.0.8',
      lease_ms: 9_000,
    });
  });

  it('are refused with the parameter of each fault, all at once and without any value', () => {
    const faults = instanceFaults({
      ...VALUES.parameters,
      lease_ms: 'soon',
      colour: 'red',
      database_url: 'mysql://u:hush@db/x',
      id: 'i-2',
      shutdown_command: 'true',
    });
    expect(faults.sort()).toEqual([
      '/books/worker/colour is not a setting of the worker. Remove it, or see --help for the settings.',
      '/books/worker/database_url is a URL that begins with postgres:// or postgresql://.',
      '/books/worker/id cannot be a parameter, because it differs between machines. Set it in the environment.',
      '/books/worker/lease_ms is a whole number.',
      '/books/worker/shutdown_command cannot be a parameter, because it differs between machines. Set it in the environment.',
    ]);
  });

  it('are refused with the name of the variable when variable and parameter have the same fault', () => {
    expect(instanceFaults({ ...VALUES.parameters }, { REINDEX_WORKER_LEASE_MS: 'soon' })).toEqual([
      'REINDEX_WORKER_LEASE_MS is a whole number.',
    ]);
  });

  it('are refused when the path has no parameters', () => {
    expect(instanceFaults({})).toContain(
      "REINDEX_WORKER_PARAMETERS: this path has no parameter directly below it in the instance's region. Check the path and the region.",
    );
  });
});

describe('the boot settings of a worker', () => {
  it('say how to end the machine even when other settings are wrong', () => {
    const environment = {
      REINDEX_WORKER_PLATFORM: 'ec2',
      REINDEX_WORKER_PARAMETERS: 'no path',
      REINDEX_WORKER_RETIRE_TIMEOUT_MS: 'soon',
      REINDEX_WORKER_SHUTDOWN_COMMAND: 'halt -p',
      REINDEX_WORKER_COLOUR: 'red',
    };
    const expected = { platform: 'ec2', parameters: null, retire_timeout_ms: 60_000 };
    expect(readBootSettings(['--boot-timeout-ms', '500'], environment)).toMatchObject({
      ...expected,
      boot_timeout_ms: 500,
      shutdown_command: 'halt -p',
    });
    expect(readBootSettings(['--colour', 'red'], environment)).toMatchObject(expected);
  });

  it('find the metadata service where AWS’s SDK finds it, unless set otherwise', () => {
    const sdk = { AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1' };
    expect(readBootSettings([], {}).metadata_url).toBe('http://169.254.169.254');
    expect(readBootSettings([], sdk).metadata_url).toBe('http://127.0.0.1:1');
    const own = { ...sdk, REINDEX_WORKER_METADATA_URL: 'http://127.0.0.1:2' };
    expect(readBootSettings([], own).metadata_url).toBe('http://127.0.0.1:2');
  });
});
