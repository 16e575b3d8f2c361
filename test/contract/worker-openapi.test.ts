import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { call, testServices } from '../support/worker-service.ts';
import { requireDocumented } from '../support/documented-answers.ts';

const serve = testServices();

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

async function documentOf(): Promise<{
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}> {
  return JSON.parse((await call(await serve(), 'GET', '/openapi.json')).text);
}

describe('GET /openapi.json', () => {
  it('gives a document that a validator of OpenAPI 3.1 accepts', async () => {
    const document = await documentOf();
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect([document.openapi, validator.version]).toEqual(['3.1.0', '3.1']);
  });

  it('describes each route of the service, and no other', async () => {
    const { paths } = await documentOf();
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const s = await serve();
    expect(described.sort()).toEqual(s.routes.toSorted());
    expect(s.routes.length).toBeGreaterThan(9);
  });

  it('says of each call what it does and how it can be answered', async () => {
    const { paths } = await documentOf();
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    for (const { summary, responses } of operations) {
      expect(summary).toMatch(/^[A-Z].+\.$/);
      expect(Object.keys(responses).filter((status) => status.startsWith('2'))).toHaveLength(1);
    }
  });

  it('has no answer for what the worker does not answer', async () => {
    const s = await serve();
    const { headers, body } = await call(s, 'GET', '/task', {});
    const asked = { method: 'GET', path: '/task' };
    requireDocumented(asked, { status: 200, headers, body });
    expect(() => requireDocumented(asked, { status: 202, headers, body })).toThrow(/no such status/);
    expect(() => requireDocumented(asked, { status: 200, headers, body: { ...body, more: 1 } })).toThrow(
      /more|additional/,
    );
    expect(() =>
      requireDocumented(asked, {
        status: 200,
        headers: new Headers({ 'content-type': 'application/json' }),
        body,
      }),
    ).toThrow(/Reindex-Contract/i);
    expect(() =>
      requireDocumented({ method: 'GET', path: '/tasks' }, { status: 200, headers, body }),
    ).toThrow(/no such call/);
  });
});
