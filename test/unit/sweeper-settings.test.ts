import { describe, expect, it } from 'vitest';
import {
  INTERVAL_VARIABLE,
  SETTINGS_VARIABLE,
  sweeperSettings,
} from '../../infra/sweeper/sweeper-settings.ts';
import { exitCodeOf } from '../../definition/failure.ts';

const SETTINGS = {
  fleet: 'books',
  definitions: 'books.yaml',
  source: { url: 'postgres://reader@db/shop' },
  target: { url: 'https://search:9200' },
  journal: { url: 's3://books-journal/reindex-fleet' },
  aws: { region: 'eu-central-1' },
  auto_scaling: { group: 'books', token_parameter: '/books/token' },
};

describe('the settings of the scheduled sweep', () => {
  it('come from one variable, and no other variable overrides them', () => {
    const { settings } = read(SETTINGS, { REINDEX_FLEET: 'another', REINDEX_SOURCE_PASSWORD: 'hush' });
    expect(settings).toMatchObject({ fleet: 'books', journal: { keep_days: 90 } });
    expect(settings.secrets.sourcePassword).toBeNull();
    expect(settings.backend).toMatchObject({
      traits: { section: 'auto_scaling' },
      sweepGraceMs: 1_800_000,
    });
  });

  it('include the interval of the schedule', () => {
    expect(read(SETTINGS).intervalMs).toBe(900_000);
    expect(read(SETTINGS, { [INTERVAL_VARIABLE]: '1440' }).intervalMs).toBe(86_400_000);
    for (const odd of ['', '0', '-5', '1.5', 'often'])
      expect(() => read(SETTINGS, { [INTERVAL_VARIABLE]: odd })).toThrow(
        /^REINDEX_SWEEP_EVERY_MINUTES is a number/,
      );
  });

  it.each([
    [
      'without a group',
      { ...SETTINGS, auto_scaling: undefined, journal: {} },
      /^REINDEX_FLEET_SETTINGS: A scheduled sweep needs[^]*: auto_scaling\. Workers on this machine end with the orchestrator\.\nREINDEX_FLEET_SETTINGS journal\.url: A Lambda function/,
    ],
    [
      'without a bucket',
      { ...SETTINGS, journal: { url: null } },
      /^REINDEX_FLEET_SETTINGS journal\.url: A Lambda function keeps no folder/,
    ],
    [
      'with a folder as journal',
      { ...SETTINGS, journal: { url: '/var/lib/reindex-fleet' } },
      /^REINDEX_FLEET_SETTINGS journal\.url: A Lambda function keeps no folder/,
    ],
    [
      'with several faults',
      { ...SETTINGS, fleet: 'Bad Name', aws: { region: 'Frankfurt', bucket: 'x' } },
      /fleet: Small letters[^]*aws\.region: This is no region[^]*aws\.bucket: This is not a setting/,
    ],
    ['when their variable is not set', '', /^REINDEX_FLEET_SETTINGS is not set/],
  ])('are refused %s, and the refusal names the setting', (_, written, message) => {
    let error: unknown;
    try {
      read(written);
    } catch (caught) {
      error = caught;
    }
    expect(String(error instanceof Error ? error.message : error)).toMatch(message);
    expect(exitCodeOf(error)).toBe(2);
  });
});

function read(written: unknown, others: Readonly<Record<string, string>> = {}) {
  const text = typeof written === 'string' ? written : JSON.stringify(written);
  return sweeperSettings({ ...others, [SETTINGS_VARIABLE]: text });
}
