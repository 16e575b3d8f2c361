import { randomBytes } from 'node:crypto';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** One call as a person with curl would make it. A string is newline-delimited JSON. */
export async function call(url: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** The part of a bulk item's outcome that the product reads. */
export interface ItemOutcome {
  readonly index: unknown;
  readonly id: unknown;
  readonly status: unknown;
  readonly result: unknown;
  readonly error: unknown;
}

/** The outcomes of a `_bulk` of these lines through an alias, as the workers send it. */
export async function bulk(url: string, alias: string, lines: readonly unknown[]): Promise<ItemOutcome[]> {
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  const { body } = await call(url, 'POST', `/${alias}/_bulk?require_alias=true&pipeline=_none`, text);
  return (body.items as Record<string, Record<string, unknown>>[]).map((item) => {
    const [outcome = {}] = Object.values(item);
    const error = outcome.error as { type?: unknown } | undefined;
    return {
      index: outcome._index,
      id: outcome._id,
      status: outcome.status,
      result: outcome.result,
      error: error?.type,
    };
  });
}

export async function count(url: string, index: string, query: unknown = { match_all: {} }): Promise<number> {
  const { body } = await call(url, 'POST', `/${index}/_count`, { query });
  const shards = body._shards as { failed: number };
  if (shards.failed !== 0) throw new Error(`${shards.failed} shards failed`);
  return body.count as number;
}

export function errorType({ body }: Answer): unknown {
  return (body.error as { type?: unknown } | undefined)?.type;
}

/** A name that no other test uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`;
}
