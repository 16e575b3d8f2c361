const NEWLINE = 0x0a;
const QUOTE = 0x22;
const ID = Buffer.from('"_id":"');

/** Where one action and its document lie in the body of a `_bulk`; line breaks belong to neither. */
export interface BulkItem {
  readonly id: string;
  readonly documentStart: number;
  readonly documentEnd: number;
}

/**
 * Finds each action with the document behind it. An action is what every client here sends: an `index` whose `_id` is a
 * string without escapes.
 */
export function* bulkItems(body: Buffer): Generator<BulkItem> {
  for (let at = 0; at < body.length; ) {
    const actionEnd = endOfLine(body, at);
    const idStart = body.indexOf(ID, at) + ID.length;
    if (idStart < ID.length || idStart > actionEnd)
      throw new Error(`A bulk action has no _id: ${body.toString('utf8', at, actionEnd)}`);
    const documentEnd = endOfLine(body, actionEnd + 1);
    yield {
      id: body.toString('latin1', idStart, body.indexOf(QUOTE, idStart)),
      documentStart: actionEnd + 1,
      documentEnd,
    };
    at = documentEnd + 1;
  }
}

function endOfLine(body: Buffer, at: number): number {
  const end = body.indexOf(NEWLINE, at);
  if (end < 0) throw new Error('A bulk body lacks its last newline.');
  return end;
}
