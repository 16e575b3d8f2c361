import { expect, test } from 'vitest';
import { describeServices } from '../../embedded/services-text.ts';

test('the text about running services shows settings to paste, without the password', () => {
  const text = describeServices({
    keeperPid: 1,
    endsWithUsers: false,
    database: {
      url: 'postgres://someone:hush@127.0.0.1:5431/postgres',
      exampleUrl: 'postgres://someone:hush@127.0.0.1:5431/cities',
      port: 5431,
      user: 'someone',
      passwordFile: '/cache/password',
    },
    search: { url: 'http://127.0.0.1:9201', node: 'OpenSearch 3.6.0', missing: null },
    developmentUrl: null,
    timings: [],
  });
  expect(text).toContain('source: { url: "postgres://someone@127.0.0.1:5431/cities" }   # with');
  expect(text).toContain(`REINDEX_SOURCE_PASSWORD="$(cat '/cache/password')"`);
  expect(text).toContain('target: { url: "http://127.0.0.1:9201" }');
  expect(text).not.toContain('hush');
});
