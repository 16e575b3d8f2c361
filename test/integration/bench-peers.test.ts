import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { describeDefinition } from '../../definition/describe.ts';
import { parseDefinition } from '../../definition/load.ts';
import type { Arm, Work } from '../bench/peers/arm.ts';
import { JAVASCRIPT_ARMS } from '../bench/peers/javascript/arms.ts';
import { armsWithSameDocuments, SAMPLE_ROWS } from '../bench/peers/measure.ts';
import { ourArm } from '../bench/peers/ours.ts';
import { takeTurn } from '../bench/peers/turn.ts';
import { allRows, sampleDefinition, sampleTable } from '../bench/sample-table.ts';
import { type NullSink, startNullSink } from '../bench/sinks/null.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

/** What a client takes is read from /proc. */
const hasNoProc = process.platform !== 'linux';

let database: TestDatabase;
let client: Client;
let sink: NullSink;
let work: Work;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  client = new Client({ connectionString: database.url });
  await client.connect();
  sink = await startNullSink();
  const table = await sampleTable(client, SAMPLE_ROWS);
  const { definition } = parseDefinition(sampleDefinition(table), 'bench.yaml');
  work = {
    databaseUrl: database.url,
    databaseCpuSeconds: async () => 0,
    table,
    rows: allRows(SAMPLE_ROWS),
    sinkUrl: sink.url,
    described: await describeDefinition(client, definition),
  };
});

afterAll(async () => {
  await sink.stop();
  await client.end();
  await database.drop();
});

test('both JavaScript clients write the same 500 documents as the worker, with either way to make them', async () => {
  const same = await armsWithSameDocuments([ourArm(client), ...JAVASCRIPT_ARMS], work);
  expect(same.refused).toEqual([]);
  expect(same.arms.map(({ name }) => name)).toEqual([
    'reindex-fleet',
    'elasticsearch-js-json',
    'elasticsearch-js-rows',
    'opensearch-js-json',
    'opensearch-js-rows',
  ]);
});

test.skipIf(hasNoProc)('every JavaScript arm brings all documents to the null sink', async () => {
  for (const arm of JAVASCRIPT_ARMS)
    expect(await takeTurn(arm, work, sink)).toMatchObject({ documents: SAMPLE_ROWS });
});

test('an arm whose documents differ is left out, with the first difference', async () => {
  const same = await armsWithSameDocuments([armThatWrites([1, 2]), armThatWrites([1, 3])], work);
  expect(same.arms).toHaveLength(1);
  expect(same.refused).toEqual(['writes 1,3 is left out: the document "2" is missing.']);
});

test.skipIf(hasNoProc)('an arm that loses documents is named with how many', async () => {
  const outcome = await takeTurn(armThatWrites([1, 2]), work, sink);
  expect(outcome).toEqual({ failed: 'it lost 498 documents' });
});

test.skipIf(hasNoProc)('an arm whose process ends says why', async () => {
  const [arm] = JAVASCRIPT_ARMS;
  const outcome = await takeTurn(arm as Arm, { ...work, table: 'no_such_table' }, sink);
  expect(outcome).toMatchObject({
    failed: expect.stringContaining('relation "no_such_table" does not exist'),
  });
});

/** A client that writes these keys and no more. */
function armThatWrites(keys: readonly number[]): Arm {
  return {
    name: `writes ${keys.join(',')}`,
    family: 'JavaScript',
    way: 'for this test',
    refusal: () => null,
    start: async ({ sinkUrl }) => ({
      run: async () => {
        const lines = keys.map((key) => `{"index":{"_id":"${key}"}}\n{"id":${key}}\n`);
        await fetch(`${sinkUrl}/_bulk`, { method: 'POST', body: lines.join('') });
        return 1;
      },
      usage: async () => ({ rssBytes: 0, peakBytes: 0, cpuSeconds: 0 }),
      stop: async () => {},
    }),
  };
}
