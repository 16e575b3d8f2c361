import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError } from '../../worker/settings.ts';

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

describe('readSettings', () => {
  it('needs three and has a default for each other', () => {
    expect(readSettings([], { ...LEAST, PATH: '/bin', REINDEX_WORKER_TOKEN: '' })).toMatchObject({
      host: '127.0.0.1',
      port: 8003,
      lease_ms: 300_000,
      drain_linger_ms: 30_000,
      batch_bytes: 4_194_304,
      max_bytes_in_flight: 16_777_216,
      exit_with_parent: false,
      token: null,
      search_url: 'http://search:9200/',
      search_authorization: null,
    });
  });

  it('puts flags above the environment', () => {
    const environment = { ...LEAST, REINDEX_WORKER_PORT: '1', REINDEX_WORKER_LEASE_MS: '7000' };
    const settings = readSettings(['--port', '0', '--exit-with-parent'], environment);
    expect(settings).toMatchObject({ port: 0, lease_ms: 7_000, exit_with_parent: true });
  });

  it('takes credentials from settings of their own or out of the URL', () => {
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
    ['an open door', { REINDEX_WORKER_HOST: '0.0.0.0' }, /^REINDEX_WORKER_TOKEN is missing: .*loopback/],
    ['a short token', { REINDEX_WORKER_TOKEN: 'abc' }, /^REINDEX_WORKER_TOKEN has at least 16 characters\.$/],
    [
      'a name without its password',
      { REINDEX_WORKER_SEARCH_USERNAME: 'u' },
      /^REINDEX_WORKER_SEARCH_PASSWORD /,
    ],
    [
      'a typing error',
      { REINDEX_WORKER_TOKN: 'x' },
      /^REINDEX_WORKER_TOKN is not a setting of the worker\.$/,
    ],
  ])('names %s', (_name, changes, expected) => {
    const faults = faultsOf({ ...LEAST, ...changes });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(expected);
  });

  it('names all faults at once', () => {
    expect(faultsOf({ REINDEX_WORKER_PORT: 'x', REINDEX_WORKER_ODD: '1' }).length).toBeGreaterThanOrEqual(5);
  });

  it('takes no secret on the command line', () => {
    expect(faultsOf(LEAST, '--token', 'abc')).toEqual([expect.stringContaining('--token')]);
  });
});
