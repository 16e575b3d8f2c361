import type { Batch } from '../../worker/bulk/batch.ts';

/** Puts one document into a batch as the pipeline does; its bytes are the same whenever the key is. */
export function addDocument(batch: Batch, key: bigint, fields = `"name":"place ${key}"`): void {
  const lines = linesOf(key, fields);
  batch.offsets[batch.items] = batch.length;
  batch.keys[batch.items] = key;
  batch.items++;
  batch.rowsRead++;
  batch.lastKey = key;
  batch.length += batch.buffer.write(lines, batch.length);
}

export function addFiltered(batch: Batch, key: bigint): void {
  batch.rowsRead++;
  batch.filtered++;
  batch.lastKey = key;
}

export function addDeadLetter(batch: Batch, key: bigint): void {
  batch.rowsRead++;
  batch.deadLetters.push({ key, type: '22P02', reason: 'a value cannot be read', fields: null });
  batch.lastKey = key;
}

export function linesOf(key: bigint, fields = `"name":"place ${key}"`): string {
  return `{"index":{"_id":"${key}"}}\n{"id":${key},${fields}}\n`;
}
