import type { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../orchestrator/clock.ts';
import { ClusterError } from '../../orchestrator/index/cluster-error.ts';
import { createTarget } from '../../orchestrator/index/create.ts';
import { finalizeTarget } from '../../orchestrator/index/finalize.ts';
import type { TargetNames } from '../../orchestrator/index/names.ts';
import { openValidationSource } from '../../orchestrator/index/postgresql-source.ts';
import type { SearchCalls } from '../../orchestrator/index/search-calls.ts';
import type { UseClient } from '../../orchestrator/index/source-query.ts';
import {
  validateTarget,
  type ValidationInput,
  type ValidationResult,
} from '../../orchestrator/index/validate.ts';
import { openSourcePool } from '../../orchestrator/run/source-connection.ts';
import { identityOf, indexItems, RANGES } from '../support/index-life.ts';
import { CLUSTERS, FINALIZE, useIndexWorld } from '../support/index-world.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const signal = new AbortController().signal;
const urlOf = ({ host, port, user, password, database }: Client): string =>
  `postgres://${user}:${password}@${host}:${port}/${database}`;
const NONE = { count: 0, first: [] };
const only = (...first: bigint[]) => ({ count: first.length, first });

describe.each(CLUSTERS)('validation on $name', ({ url: maybeUrl }) => {
  const world = useIndexWorld(maybeUrl);
  const tamper = (index: string, lines: readonly unknown[]) => world.tamper(index, lines);
  /** How long was waited before each further try. */
  let waitsMs: number[] = [];

  function validate(names: TargetNames, changes: Partial<ValidationInput> = {}): Promise<ValidationResult> {
    waitsMs = [];
    return validateTarget({
      cluster: world.cluster,
      source: openValidationSource((work) => work(world.client), world.described),
      described: world.described,
      names,
      ranges: RANGES,
      concurrency: 1,
      clock: {
        ...systemClock,
        sleep: (ms) => {
          waitsMs.push(ms);
          return Promise.resolve();
        },
      },
      signal,
      ...changes,
    });
  }
  /** The cluster, but for what `answer` makes of an answer to a search or a count: a text, or an error that it throws. */
  function answering(answer: (path: string, text: string) => string): SearchCalls {
    const { cluster } = world;
    const callText: SearchCalls['callText'] = async (method, path, body, options) => {
      const text = await cluster.callText(method, path, body, options);
      return /_(search|count|mget)/.test(path) ? answer(path, text) : text;
    };
    return {
      where: cluster.where,
      callText,
      call: async (...call) => JSON.parse(await callText(...call)) as unknown,
      callOrNull: (...call) => cluster.callOrNull(...call),
      search: (...search) => cluster.search(...search),
    };
  }
  const letter = (id: number) => [
    { index: { _id: String(id) } },
    { id, type: 'test', reason: 'planted', fields: null },
  ];

  it('accepts an index that equals the table key by key and value by value', async () => {
    const result = await validate(await world.build('r1'));
    expect(result.samples.differing).toEqual([]);
    expect(result).toMatchObject({
      ok: true,
      rows: 30,
      filtered: 1,
      documents: 29,
      deadLetters: 0,
      ranges: 3,
      rangesByKeys: 3,
      mismatches: [],
    });
    expect(result.samples.keys.length).toBeGreaterThan(20);
  });

  it('compares as many ranges at a time as allowed, each with one connection', async (scope) => {
    const pool = openSourcePool({ url: urlOf(world.client), password: null }, 2);
    scope.onTestFinished(() => pool.close());
    const names = await world.build('r1');
    let now = 0;
    let most = 0;
    const use: UseClient = async (work) => {
      most = Math.max(most, ++now);
      return pool.use(work).finally(() => now--);
    };
    const source = openValidationSource(use, world.described);
    expect(await validate(names, { source, concurrency: 2 })).toMatchObject({ ok: true, ranges: 3 });
    expect(most).toBe(2);
  });

  it('evaluates the condition in the worker’s time zone, whatever the connection’s zone is', async () => {
    const where = `item.seen::date <> '2024-01-11' AND NOT item.hidden`;
    await world.redefine({ source: { ...world.definition.source, where } });
    await world.client.query(`UPDATE items SET seen = '2024-01-11 01:00+00' WHERE id = 12`);
    await world.client.query(`UPDATE items SET hidden = true WHERE seen::date = '2024-01-11'`);
    const names = await world.build('r1');
    await world.client.query(`UPDATE items SET hidden = false WHERE id <> 30`);
    await world.client.query(`SET TimeZone = 'America/New_York'`);
    expect(await validate(names)).toMatchObject({ ok: true, mismatches: [] });
  });

  it('finds a lost document and names its key', async () => {
    const names = await world.build('r1');
    await tamper(names.index, [{ delete: { _id: '12' } }]);
    expect((await validate(names)).mismatches).toEqual([
      {
        range: RANGES[1],
        expected: 10,
        found: 9,
        keys: { missing: only(12n), surplus: NONE, both: NONE },
      },
    ]);
  });

  it('finds documents beyond the table, at the ends of bigint too', async () => {
    const names = await world.build('r1');
    await world.client.query('DELETE FROM items WHERE id IN (-9223372036854775808, 9223372036854775807)');
    const { mismatches } = await validate(names, { ranges: [{ start: null, end: null }] });
    expect(mismatches.map(({ keys }) => keys?.surplus)).toEqual([
      only(-9223372036854775808n, 9223372036854775807n),
    ]);
  });

  describe('for a lost document beside a surplus one', () => {
    const LOST_AND_SURPLUS = [{ delete: { _id: '25' } }, { index: { _id: '100' } }, { id: 100, name: 'new' }];
    /** Counts agree, and samples are taken from where nothing is amiss. */
    const UNSEEN = { sampleKeys: [21n] };

    it('finds both by comparing keys', async () => {
      const names = await world.build('r1');
      await tamper(names.index, LOST_AND_SURPLUS);
      expect((await validate(names, UNSEEN)).mismatches).toEqual([
        {
          range: RANGES[2],
          expected: 10,
          found: 10,
          keys: { missing: only(25n), surplus: only(100n), both: NONE },
        },
      ]);
    });

    it('misses both by counts alone, except in ranges that are compared by keys anyway', async () => {
      const names = await world.build('r1');
      await tamper(names.index, LOST_AND_SURPLUS);
      const byCounts = await validate(names, { ...UNSEEN, byKeys: () => false });
      expect(byCounts).toMatchObject({ ok: true, rangesByKeys: 0 });
      const some = await validate(names, { ...UNSEEN, byKeys: ({ end }) => end === null });
      expect(some).toMatchObject({ ok: false, rangesByKeys: 1, mismatches: [{ range: RANGES[2] }] });
    });

    it('finds the lost one even when a dead letter stands in for it', async () => {
      const names = await world.build('r1');
      await tamper(names.index, [{ delete: { _id: '25' } }]);
      await tamper(names.deadLetterIndex, letter(100));
      const { mismatches } = await validate(names, { ...UNSEEN, byKeys: () => false });
      expect(mismatches).toMatchObject([{ keys: { missing: only(25n), surplus: only(100n) } }]);
    });
  });

  it('names the keys in a range whose counts differ, even when only counts are asked for', async () => {
    const names = await world.build('r1');
    await tamper(names.index, [{ delete: { _id: '12' } }]);
    const { mismatches } = await validate(names, { byKeys: () => false });
    expect(mismatches).toMatchObject([{ range: RANGES[1], keys: { missing: only(12n) } }]);
  });

  it('reads an index in pages when it returns only a few documents at a time', async () => {
    const settings = { number_of_shards: 1, max_result_window: 4 };
    await world.redefine({ index: { ...world.definition.index, settings } });
    const names = await world.build('r1');
    expect(await validate(names)).toMatchObject({ ok: true, documents: 29 });
    await tamper(names.index, [{ delete: { _id: '13' } }, { delete: { _id: '14' } }]);
    const { mismatches } = await validate(names);
    expect(mismatches).toMatchObject([{ keys: { missing: only(13n, 14n), surplus: NONE } }]);
  });

  it.each([
    ['a changed text', `name = 'other'`, 'name'],
    ['the last digit of a numeric', 'price = price + 0.00000000000000000001', 'price'],
    ['a microsecond', `seen = seen + interval '1 microsecond'`, 'seen'],
    ['an element of an array', `tags = ARRAY['a']`, 'tags'],
    ['a null', 'made = NULL', 'made'],
  ])('finds %s by samples', async (_name, change, field) => {
    const names = await world.build('r1');
    await world.client.query(`UPDATE items SET ${change} WHERE id BETWEEN 11 AND 19`);
    const result = await validate(names);
    expect(result).toMatchObject({ ok: false, mismatches: [{ range: RANGES[1], expected: 10, found: 10 }] });
    expect(new Set(result.samples.differing.map((difference) => difference.field))).toEqual(new Set([field]));
  });

  it('counts dead letters, and refuses a row that is both dead letter and document', async () => {
    const names = await world.build('r1');
    await tamper(names.index, [{ delete: { _id: '7' } }]);
    await tamper(names.deadLetterIndex, [...letter(7), ...letter(8)]);
    for (const byKeys of [() => true, () => false]) {
      const refused = await validate(names, { byKeys });
      expect(refused).toMatchObject({ ok: false, documents: 28, deadLetters: 2 });
      expect(refused.mismatches).toMatchObject([{ keys: { missing: NONE, surplus: NONE, both: only(8n) } }]);
    }
    await tamper(names.deadLetterIndex, [{ delete: { _id: '8' } }]);
    expect(await validate(names)).toMatchObject({ ok: true, documents: 28, deadLetters: 1 });
  });

  it('accepts JSON that jsonb does not accept', async () => {
    await world.client.query(String.raw`UPDATE items SET extra = '{"a": "x\u0000y"}' WHERE id = 13`);
    const names = await createTarget(world.cluster, world.described, identityOf('r1'), 1);
    await world.client.query(`CREATE TEMP TABLE kept AS SELECT * FROM items WHERE id = 13`);
    await world.client.query(`UPDATE items SET extra = 'null' WHERE id = 13`);
    await indexItems(world.url, world.client, names, 1);
    await world.client.query(`UPDATE items SET extra = kept.extra FROM kept WHERE items.id = kept.id`);
    await finalizeTarget(world.cluster, { definition: world.definition, names, pass: 1 }, FINALIZE);
    expect((await validate(names)).samples.differing).toEqual([
      { key: 13n, field: 'extra', expected: String.raw`{"a":"x\u0000y"}`, found: 'null' },
    ]);
  });

  describe('with a fault while it reads', () => {
    const withShards = (text: string, shards: object): string =>
      JSON.stringify({ ...(JSON.parse(text) as object), _shards: shards });

    it.each([
      ['a shard that fails', { total: 2, successful: 1, failed: 1 }],
      ['a shard that no node holds', { total: 2, successful: 1, failed: 0 }],
    ])('tries again after %s, and never takes the answer for whole', async (_name, shards) => {
      const names = await world.build('r1');
      let broken = 2;
      const passing = answering((path, text) =>
        path.includes('_search') && broken-- > 0 ? withShards(text, shards) : text,
      );
      expect(await validate(names, { cluster: passing })).toMatchObject({ ok: true });
      expect(waitsMs).toEqual([1_000, 2_000]);
      for (const call of ['_search', '_count']) {
        const lasting = answering((path, text) => (path.includes(call) ? withShards(text, shards) : text));
        await expect(validate(names, { cluster: lasting })).rejects.toThrow(/incomplete: 1 of 2 shards/);
      }
    });

    it('refuses a search that a time limit cut short, and a sample that its shard could not give', async () => {
      const names = await world.build('r1');
      const late = answering((path, text) =>
        path.includes('_search') ? text.replace('"timed_out":false', '"timed_out":true') : text,
      );
      await expect(validate(names, { cluster: late })).rejects.toThrow(
        /reading the keys of .* is incomplete/,
      );
      const failing = answering((path, text) =>
        path.includes('_mget') ? '{"docs":[{"_id":"7","error":{"type":"no_shard_available"}}]}' : text,
      );
      await expect(validate(names, { cluster: failing })).rejects.toThrow(
        /samples .* incomplete: .*no_shard_available/,
      );
    });

    it('ends at once at a lasting refusal, and when the cluster stays away, for which each call has waited', async () => {
      const names = await world.build('r1');
      const refusing = (status: number): SearchCalls =>
        answering(() => {
          throw new ClusterError(status, 'planted', `planted ${status}`);
        });
      for (const status of [403, 503, 0])
        await expect(validate(names, { cluster: refusing(status) })).rejects.toThrow(`planted ${status}`);
      expect(waitsMs).toEqual([]);
    });

    it('connects again when connections to the database are cut', async (scope) => {
      const names = await world.build('r1');
      const proxy = await TcpProxy.start(urlOf(world.client));
      scope.onTestFinished(() => proxy.stop());
      // Enough to log in and to begin.
      proxy.cutAfterBytes.push(700, 900, 1_100);
      const pool = openSourcePool({ url: proxy.url, password: null }, 2);
      scope.onTestFinished(() => pool.close());
      const source = openValidationSource(pool.use, world.described);

      expect(await validate(names, { source, concurrency: 2 })).toMatchObject({ ok: true, documents: 29 });

      expect(waitsMs.length).toBeGreaterThan(0);
      expect(proxy.connections).toBeGreaterThan(3);
    });
  });
});
