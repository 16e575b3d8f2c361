import type { z } from 'zod';
import { MAX_BODY_BYTES } from './contract.ts';
import { Refusal } from './refusal.ts';

/**
 * Reads a JSON body and checks it. It never reads more than `MAX_BODY_BYTES`.
 * @throws Refusal 413, 415, or 400; with 400 the message names every fault and `field` names the first
 */
export async function readBody<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): Promise<z.output<Schema>> {
  requireJson(request.headers.get('content-type'));
  const text = await readText(request);
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  const faults = result.error.issues.flatMap(faultsOf);
  throw new Refusal(
    400,
    faults.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)).join('; '),
    {
      field: faults[0]?.field || undefined,
    },
  );
}

function requireJson(contentType: string | null): void {
  if (/^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(contentType ?? '')) return;
  throw new Refusal(415, 'The body must be JSON in UTF-8. Send the header Content-Type: application/json.');
}

async function readText(request: Request): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Refusal(400, 'The body is not UTF-8. Send JSON in UTF-8.');
  }
}

function tooLarge(): Refusal {
  return new Refusal(413, `The body is larger than ${MAX_BODY_BYTES} bytes.`);
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const repeated = repeatedName(text);
    if (repeated === null) return value;
    throw new Refusal(400, `The body has ${repeated} twice in one object. Send it once.`, {
      field: repeated,
    });
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, 'The body is not JSON. Send a JSON object.');
  }
}

/** A name that an object of this valid JSON has twice. `JSON.parse` would drop one of them without an error. */
function repeatedName(text: string): string | null {
  const open: Set<string>[] = [];
  for (const [token, string, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*(:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (string !== undefined && colon !== undefined) {
      const name = JSON.parse(string) as string;
      const names = open.at(-1);
      if (names?.has(name) === true) return name;
      names?.add(name);
    }
  }
  return null;
}

function faultsOf(issue: z.core.$ZodIssue): { field: string; message: string }[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ field: path.join('.'), message: issue.message }];
  return issue.keys.map((key) => ({ field: [...path, key].join('.'), message: 'is not known here' }));
}
