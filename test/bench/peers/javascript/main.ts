import { createInterface } from 'node:readline';
import { Client } from 'pg';
import QueryStream from 'pg-query-stream';
import { BULK_HELPERS } from './bulk-helper.ts';
import { orderSchema } from './order.ts';
import { jsonAction, ROW_TYPES, rowAction } from './rows.ts';

/** One JavaScript peer as a process: ready, `go`, the seconds, and the end with its standard input. */
/** Rows per fetch: the default of 100 is measurably slower, and more is no faster. */
const BATCH_ROWS = 1_000;

const order = orderSchema.parse(JSON.parse(process.env['BENCH_ORDER'] ?? 'null'));
const bulk = await BULK_HELPERS[order.client](order.search_url);
const database = new Client({ connectionString: order.database_url, options: '-c timezone=UTC' });
await database.connect();
createInterface({ input: process.stdin })
  .once('line', () => void work().catch(fail))
  .once('close', () => process.exit(0));
console.log('ready');

async function work(): Promise<void> {
  const startMs = performance.now();
  const stream = new QueryStream(order.query, [], {
    batchSize: BATCH_ROWS,
    highWaterMark: BATCH_ROWS,
    types: ROW_TYPES,
  });
  const actionOf = order.documents === 'json' ? jsonAction(order.index) : rowAction(order.index);
  await bulk(database.query(stream), actionOf);
  console.log(JSON.stringify({ seconds: (performance.now() - startMs) / 1_000 }));
}

function fail(error: unknown): void {
  console.error((error as Error).message);
  process.exit(1);
}
