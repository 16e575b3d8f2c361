import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classOf,
  type ErrorClass,
  MAX_REASON_LENGTH,
  readOutcomes,
  ResponseMismatch,
  type Sent,
} from '../../worker/targets/bulk/outcomes.ts';
import { TaskFailure } from '../../worker/task-failure.ts';
import { storeOf } from '../support/batches.ts';

const KEYS = [7n, -3n, 9_223_372_036_854_775_807n];

function sent(changes: Partial<Sent> = {}): Sent {
  return {
    keys: storeOf(KEYS),
    first: 0,
    count: 3,
    alias: 'cities-1-write-1',
    index: 'cities-1',
    versioned: false,
    ...changes,
  };
}

function stored(key: bigint, changes: object = {}) {
  return { index: { _index: 'cities-1', _id: String(key), status: 201, result: 'created', ...changes } };
}

function failed(key: bigint, status: number, type: string, reason = 'because') {
  return { index: { _index: 'cities-1-write-1', _id: String(key), status, error: { type, reason } } };
}

function allStored(): object[] {
  return KEYS.map((key) => stored(key));
}

describe('reading the answer to a bulk', () => {
  it('counts created and updated items as indexed', () => {
    const items = [stored(7n), stored(-3n, { status: 200, result: 'updated' }), stored(KEYS[2] ?? 0n)];
    expect(readOutcomes({ items }, sent())).toEqual({
      indexed: 3,
      superseded: 0,
      again: [],
      refused: [],
      doubtful: [],
      turnedAway: null,
      congested: false,
    });
  });

  it('separates settled items, refused items and items to be sent again', () => {
    const items = [
      failed(7n, 429, 'rejected_execution_exception'),
      stored(-3n),
      failed(KEYS[2] ?? 0n, 400, 'mapper_parsing_exception', 'no long'),
    ];
    expect(readOutcomes({ items }, sent())).toEqual({
      indexed: 1,
      superseded: 0,
      again: [0],
      refused: [{ position: 2, type: 'mapper_parsing_exception', reason: 'no long', cause: null }],
      doubtful: [],
      turnedAway: { position: 0, type: 'rejected_execution_exception', reason: 'because', cause: null },
      congested: true,
    });
  });

  it('shortens a long reason', () => {
    const items = [failed(7n, 400, 'mapper_parsing_exception', 'x'.repeat(5_000))];
    const outcomes = readOutcomes({ items }, sent({ count: 1 }));
    expect(outcomes.refused[0]?.reason).toHaveLength(MAX_REASON_LENGTH);
  });

  it('stops the task on a noop, with advice', () => {
    const items = [stored(7n, { _index: 'cities-1-write-1', status: 200, result: 'noop' })];
    expect(() => readOutcomes({ items }, sent({ count: 1 }))).toThrow(
      expect.objectContaining({ next: 'stop', type: 'unexpected_noop' }),
    );
  });

  it('matches the items against the stretch that was sent, not against the whole batch', () => {
    const outcomes = readOutcomes({ items: [stored(-3n)] }, sent({ first: 1, count: 1 }));
    expect(outcomes.indexed).toBe(1);
  });

  it('does not check the index when it is unknown', () => {
    expect(
      readOutcomes({ items: [stored(7n, { _index: 'elsewhere' })] }, sent({ count: 1, index: null })).indexed,
    ).toBe(1);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['no items', { took: 1 }],
    ['items that are no list', { items: {} }],
    ['an item too few', { items: allStored().slice(1) }],
    ['an item too many', { items: [...allStored(), stored(8n)] }],
    ['items in another order', { items: allStored().reverse() }],
    ['an id that is a number', { items: [stored(7n, { _id: 7 }), ...allStored().slice(1)] }],
    ['another operation', { items: [{ create: stored(7n).index }, ...allStored().slice(1)] }],
    ['another index', { items: [stored(7n, { _index: 'cities-2' }), ...allStored().slice(1)] }],
    ['another result', { items: [stored(7n, { result: 'deleted' }), ...allStored().slice(1)] }],
    ['a success without its status', { items: [stored(7n, { status: undefined }), ...allStored().slice(1)] }],
    ['items that are null', { items: [null, null, null] }],
  ])('refuses an answer with %s', (_name, response) => {
    expect(() => readOutcomes(response, sent())).toThrow(ResponseMismatch);
  });

  it('gives every item exactly one outcome, or refuses the whole answer', () => {
    const errors = fc.constantFrom(
      'mapper_parsing_exception',
      'rejected_execution_exception',
      'version_conflict_engine_exception',
      'odd',
    );
    const item = fc.oneof(
      fc.constant(null),
      fc.record({ status: fc.constantFrom(400, 409, 429, 503), type: errors }),
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 50 }), fc.boolean(), (errors, versioned) => {
        const keys = storeOf(errors.map((_, i) => BigInt(i)));
        const items = errors.map((error, i) =>
          error === null ? stored(BigInt(i)) : failed(BigInt(i), error.status, error.type),
        );
        const outcomes = readOutcomes({ items }, sent({ keys, count: keys.length, versioned }));
        const { indexed, superseded, again, refused, doubtful } = outcomes;
        expect(indexed + superseded + again.length + refused.length + doubtful.length).toBe(keys.length);
        expect(outcomes.again).toEqual([...outcomes.again].sort((a, b) => a - b));
      }),
    );
  });
});

describe('the class of a bulk item’s outcome', () => {
  const FLOOD =
    'index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];';
  const NO_WRITE_INDEX =
    'no write index is defined for alias [x]. The write index may be explicitly disabled using is_write_index=false';
  const cases: [string, string, number, boolean, ErrorClass][] = [
    ['cluster_block_exception', FLOOD, 429, false, 'stop'],
    ['cluster_block_exception', 'index [x] blocked by: [FORBIDDEN/8/index write (api)];', 403, false, 'stop'],
    ['cluster_block_exception', 'blocked by: [SERVICE_UNAVAILABLE/2/no master];', 503, false, 'again'],
    ['security_exception', 'no permissions', 403, false, 'stop'],
    [
      'index_not_found_exception',
      'no such index [x] and [require_alias] request flag is [true]',
      404,
      false,
      'stop',
    ],
    ['index_closed_exception', 'closed', 400, false, 'stop'],
    ['illegal_argument_exception', NO_WRITE_INDEX, 400, false, 'stop'],
    ['illegal_argument_exception', 'pipeline with id [x] does not exist', 400, false, 'stop'],
    ['illegal_argument_exception', 'Document contains at least one immense term', 400, false, 'refused'],
    ['status_403', 'a proxy', 403, false, 'stop'],
    ['es_rejected_execution_exception', 'queue', 429, false, 'again'],
    ['rejected_execution_exception', 'queue', 429, false, 'again'],
    ['circuit_breaking_exception', 'Data too large', 429, false, 'again'],
    ['unavailable_shards_exception', 'primary shard is not active', 503, false, 'again'],
    ['something_new', 'x', 429, false, 'again'],
    ['something_new', 'x', 500, false, 'doubtful'],
    ['version_conflict_engine_exception', 'newer', 409, true, 'superseded'],
    ['version_conflict_engine_exception', 'newer', 409, false, 'refused'],
    ['strict_dynamic_mapping_exception', 'x', 400, true, 'refused'],
    ['mapper_parsing_exception', 'x', 400, true, 'refused'],
  ];
  it.each(cases)(
    'for error %s (%s), status %i, versioned %s is %s',
    (...[type, reason, status, versioned, expected]) => {
      expect(classOf(type, reason, status, versioned)).toBe(expected);
    },
  );

  it('is a stop that names the pipeline when a document was sent on to an index that does not exist', () => {
    const failure = failed(7n, 404, 'index_not_found_exception', 'no such index [elsewhere]');
    const items = [{ index: { ...failure.index, _index: 'elsewhere' } }];
    const read = () => readOutcomes({ items }, sent({ count: 1 }));
    expect(read).toThrow(TaskFailure);
    expect(read).toThrow(
      /_id 7 was sent on to another index than cities-1-write-1.*pipeline that sets _index/,
    );
  });

  it('is a stop with the cluster’s own words for a block of the cluster', () => {
    const items = [failed(7n, 429, 'cluster_block_exception', FLOOD)];
    const read = () => readOutcomes({ items }, sent({ count: 1 }));
    expect(read).toThrow(TaskFailure);
    expect(read).toThrow(/cities-1-write-1.*flood-stage watermark/);
  });
});
