import { afterEach, describe, expect, it, vi } from 'vitest';
import { RunFailed } from '../../orchestrator/errors.ts';
import {
  sharedSourcePassword,
  sharedTargetCredentials,
  type WorkerParameters,
} from '../../orchestrator/run/shared-credentials.ts';

const PATH = '/reindex-fleet/books/worker';

afterEach(() => void vi.unstubAllEnvs());

describe('the password in the workers’ database_url', () => {
  it.for([
    ['of the same URL', 'postgres://reader@db:5432/shop', 'postgres://reader:hush@db:5432/shop'],
    ['with its port left out', 'postgres://reader@db/shop', 'postgresql://reader:hush@DB:5432/other'],
    ['percent-encoded', 'postgres://r%40der@db/shop', 'postgres://r%40der:hu%73h@db/shop'],
    [
      'in the query, with files of the workers’ machines',
      'postgres://db/shop?user=reader',
      'postgres://reader@db/shop?password=hush&sslmode=verify-full&sslrootcert=/nowhere/ca.pem',
    ],
  ] as const)('is used for a source.url %s', ([, sourceUrl, databaseUrl]) => {
    expect(sharedSourcePassword(PATH, databaseUrl, sourceUrl)).toBe('hush');
  });

  it('is null when the URL has none', () => {
    vi.stubEnv('PGPASSWORD', undefined);
    expect(sharedSourcePassword(PATH, 'postgres://reader@db/shop', 'postgres://reader@db/shop')).toBeNull();
  });

  it.for([
    ['server', 'postgres://reader@other.internal/shop', 'reader@other.internal:5432'],
    ['port', 'postgres://reader@db:5433/shop', 'reader@db:5433'],
    ['user', 'postgres://owner@db/shop', 'owner@db:5432'],
    ['server of the query', 'postgres://reader@db/shop?host=other', 'reader@other:5432'],
  ] as const)('is refused for another %s', ([, sourceUrl, words]) => {
    const use = (): unknown => sharedSourcePassword(PATH, 'postgres://reader:hush@db/shop', sourceUrl);
    expect(use).toThrow(RunFailed);
    expect(use).toThrow(
      `the parameter ${PATH}/database_url is for reader@db:5432, but source.url names ${words}. A run uses its password for no other server or user: set REINDEX_SOURCE_PASSWORD, or let both name the same`,
    );
    expect(use).not.toThrow(/hush/);
  });

  it.for(['hush', 'mysql://reader:hush@db/shop', ''])(
    'is refused when the parameter is no URL: %j',
    (text) => {
      const use = (): unknown => sharedSourcePassword(PATH, text, 'postgres://reader@db/shop');
      expect(use).toThrow(`the parameter ${PATH}/database_url holds no URL that begins with postgres://`);
      expect(use).not.toThrow(/hush/);
    },
  );
});

describe('the workers’ credentials for the cluster', () => {
  const TARGET = { url: 'https://search:9200', username: null };
  const NONE = { username: null, password: null, apiKey: null };

  it('may be a user with a password', () => {
    const given = { search_username: 'indexer', search_password: 'hush' };
    const expected = { username: 'indexer', password: 'hush', apiKey: null };
    expect(shared(given)).toEqual(expected);
    expect(shared(given, { ...TARGET, username: 'indexer' })).toEqual(expected);
    expect(shared(given, { ...TARGET, url: 'https://indexer@search:9200/' })).toEqual(expected);
  });

  it('may stand in the URL', () => {
    const given = { search_url: 'https://indexer:hu%73h@search:9200' };
    expect(shared(given)).toEqual({ username: 'indexer', password: 'hush', apiKey: null });
  });

  it('may be an API key when no user is named', () => {
    expect(shared({ search_api_key: 'key' })).toEqual({ ...NONE, apiKey: 'key' });
  });

  it('are empty for a cluster that needs none', () => {
    expect(shared({})).toEqual(NONE);
    expect(shared({ search_url: null })).toEqual(NONE);
  });

  it.for([
    [
      'another server',
      { search_password: 'hush' },
      { ...TARGET, url: 'http://search:9200' },
      /search_url is https:\/\/search:9200, but target\.url names http:\/\/search:9200\. .* no other server/,
    ],
    ['no known server', { search_api_key: 'hush', search_url: null }, TARGET, /search_url does not exist/],
    [
      'another user',
      { search_username: 'other', search_password: 'hush' },
      { ...TARGET, username: 'indexer' },
      /password of other, but target\.username is indexer\. A run uses it for no other user/,
    ],
    [
      'a user whose password is not there',
      { search_api_key: 'hush' },
      { ...TARGET, username: 'indexer' },
      /search_password does not exist in this region: .* or set REINDEX_TARGET_PASSWORD/,
    ],
    [
      'a user beside an API key',
      { search_username: 'indexer', search_password: 'hush', search_api_key: 'hush' },
      TARGET,
      /search_api_key and .*search_username.* are both set/,
    ],
    ['a URL that is none', { search_url: 'hush' }, TARGET, /search_url holds no URL that begins with http:/],
  ] as const)('are refused for %s', ([, given, target, said]) => {
    const use = (): unknown => shared(given, target);
    expect(use).toThrow(RunFailed);
    expect(use).toThrow(said);
    expect(use).not.toThrow(/hush/);
  });

  function shared(
    given: Partial<WorkerParameters>,
    target: { url: string; username: string | null } = TARGET,
  ) {
    const parameters = { search_username: null, search_password: null, search_api_key: null, ...given };
    return sharedTargetCredentials(PATH, { search_url: 'https://search:9200/', ...parameters }, target);
  }
});
