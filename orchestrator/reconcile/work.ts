/** What a row costs beside its bytes, in bytes that cost as much (reading it, its action line, its outcome). */
const ROW_OVERHEAD_BYTES = 400;

/** How much work a range is, to compare ranges with each other. */
export function workOf({ rows, bytes }: { readonly rows: number; readonly bytes: number }): number {
  return bytes + rows * ROW_OVERHEAD_BYTES;
}
