import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { openApiDocument } from '../../worker/openapi.ts';

/** Holds what a worker really answers against the OpenAPI document that it gives of itself. */

const ID = 'worker';
const document = openApiDocument();
const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, ID);
const validators = new Map<string, ValidateFunction>();

export interface RealAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

/** @throws Error when the document does not allow the answer */
export function requireDocumented(
  { method, path }: { readonly method: string; readonly path: string },
  { status, headers, body }: RealAnswer,
): void {
  const where = `${method} ${path} answers ${status}`;
  const template = Object.keys(document.paths ?? {}).find((candidate) => matches(candidate, path));
  const operations: Readonly<Record<string, unknown>> = { ...document.paths?.[template ?? ''] };
  const operation = operations[method.toLowerCase()];
  if (template === undefined || operation === undefined) {
    const expected = template === undefined ? [404, 401] : [405, 401];
    if (!expected.includes(status)) throw new Error(`${where}: the document knows no such call`);
    return requireValid(where, ['components', 'schemas', 'ErrorBody'], body);
  }
  const responses = ['paths', template, method.toLowerCase(), 'responses', String(status)];
  const response = at(responses) as ResponseObject | undefined;
  if (response === undefined) throw new Error(`${where}: the document knows no such status`);
  for (const name of Object.keys(response.headers ?? {}))
    if (!headers.has(name))
      throw new Error(`${where} without the header ${name}, which the document promises`);
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  if (response.content[type] === undefined) throw new Error(`${where} with a body of the type ${type}`);
  requireValid(where, [...responses, 'content', type, 'schema'], body);
}

interface ResponseObject {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content: Readonly<Record<string, unknown>>;
}

function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
}

function at(keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    document,
  );
}

function requireValid(where: string, schema: readonly string[], body: unknown): void {
  const pointer = schema.map((key) => key.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
  const validate = validators.get(pointer) ?? ajv.compile({ $ref: `${ID}#/${encodeURI(pointer)}` });
  validators.set(pointer, validate);
  if (!validate(body))
    throw new Error(`${where}: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(body)}`);
}
