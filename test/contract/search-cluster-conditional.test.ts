import { describe, expect, inject, it } from 'vitest';
import { call, errorType, uniqueName } from '../support/search-calls.ts';

/** Conditional writes of one document: of several processes that want it, one gets it. */
const CLUSTERS = {
  OpenSearch: inject('searchUrl'),
  'the development node': inject('developmentUrl'),
};

for (const [name, maybeUrl] of Object.entries(CLUSTERS)) {
  describe.skipIf(maybeUrl === null)(`conditional writes on ${name}`, () => {
    const url = maybeUrl ?? '';

    it('let one process create, replace and remove a document, and tell the others of a conflict', async (scope) => {
      const index = uniqueName('conditional');
      scope.onTestFinished(async () => void (await call(url, 'DELETE', `/${index}`)));
      const settings = { number_of_replicas: 0, hidden: true };
      const mappings = { properties: { value: { type: 'keyword' } } };
      await call(url, 'PUT', `/${index}`, { settings, mappings });
      const write = (condition: string, value: string) =>
        call(url, 'PUT', `/${index}/_doc/one?${condition}`, { value });
      const read = () => call(url, 'GET', `/${index}/_doc/one`);
      const conditionOf = async (): Promise<string> => {
        const { body } = await read();
        return `if_seq_no=${String(body['_seq_no'])}&if_primary_term=${String(body['_primary_term'])}`;
      };

      expect(await read()).toMatchObject({ status: 404, body: { found: false } });
      const created = await Promise.all(['a', 'b', 'c'].map((value) => write('op_type=create', value)));
      expect(created.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409]);
      const first = await conditionOf();
      expect((await write(first, 'd')).status).toBe(200);
      expect(errorType(await write(first, 'e'))).toBe('version_conflict_engine_exception');
      expect(await read()).toMatchObject({ status: 200, body: { _source: { value: 'd' } } });
      expect((await call(url, 'DELETE', `/${index}/_doc/one?${first}`)).status).toBe(409);
      expect((await call(url, 'DELETE', `/${index}/_doc/one?${await conditionOf()}`)).status).toBe(200);
      expect(await read()).toMatchObject({ status: 404, body: { found: false } });
      expect((await write('op_type=create', 'f')).status).toBe(201);
    });

    it('leave a hidden index out of wildcards, unless all are asked for', async (scope) => {
      const index = uniqueName('hidden');
      scope.onTestFinished(async () => void (await call(url, 'DELETE', `/${index}`)));
      await call(url, 'PUT', `/${index}`, { settings: { number_of_replicas: 0, hidden: true } });
      const named = async (query: string) => Object.keys((await call(url, 'GET', `/${index}*${query}`)).body);
      expect(await named('')).toEqual([]);
      expect(await named('?expand_wildcards=all')).toEqual([index]);
    });
  });
}
