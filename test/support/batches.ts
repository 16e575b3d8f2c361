import { INTEGER_KEY_BYTES } from '../../worker/key/integer-bytes.ts';
import type { KeyStore } from '../../worker/key/key-bytes.ts';
import { Batch } from '../../worker/targets/batch.ts';
import { emptyStretch, type Stretch } from '../../worker/targets/stretch.ts';

export function storeOf(keys: readonly bigint[]): KeyStore {
  const store = INTEGER_KEY_BYTES.createStore(keys.length);
  for (const [i, key] of keys.entries()) store.set(i, key);
  return store;
}

export function emptyBatch(capacityBytes = 64 * 1024, maxItems = 1_000): Batch {
  return new Batch(capacityBytes, maxItems, INTEGER_KEY_BYTES);
}

/** A stretch of so many targets, without rows. */
export function newStretch(targets = 1): Stretch {
  return emptyStretch(Array.from({ length: targets }, () => emptyBatch()));
}

/** Puts one document into every batch of a stretch, as the pipeline does. The same key always gives the same bytes. */
export function addDocument(stretch: Stretch, key: bigint, fields = `"name":"place ${key}"`): void {
  for (const batch of stretch.batches) writeDocument(batch, key, fields);
  stretch.rowsRead++;
  stretch.lastKey = key;
}

export function writeDocument(batch: Batch, key: bigint, fields = `"name":"place ${key}"`): void {
  const cell = INTEGER_KEY_BYTES.createCell();
  cell.set(key);
  batch.append(cell, batch.length + batch.buffer.write(linesOf(key, fields), batch.length));
}

export function addFiltered(stretch: Stretch, key: bigint): void {
  for (const batch of stretch.batches) batch.filtered++;
  stretch.rowsRead++;
  stretch.filtered++;
  stretch.lastKey = key;
}

export function addDeadLetter(stretch: Stretch, key: bigint): void {
  for (const { deadLetters } of stretch.batches)
    deadLetters.push({ key, type: '22P02', reason: 'a value cannot be read', fields: null });
  stretch.rowsRead++;
  stretch.lastKey = key;
}

export function linesOf(key: bigint, fields = `"name":"place ${key}"`): string {
  return `{"index":{"_id":"${key}"}}\n{"id":${key},${fields}}\n`;
}
