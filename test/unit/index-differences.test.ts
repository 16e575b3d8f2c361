import { describe, expect, it } from 'vitest';
import { indexDifferences } from '../../orchestrator/index/effective/index-differences.ts';
import { withoutBroughtFields } from '../../orchestrator/index/effective/brought-fields.ts';
import type { IndexBody } from '../../orchestrator/index/mapping.ts';

describe('dynamic templates that an index template brings', () => {
  const differences = (field: Readonly<Record<string, unknown>>) => {
    const mappings = { dynamic: 'strict', properties: { f: field } } as const;
    const asked = { settings: {}, mappings } as unknown as IndexBody;
    const found = {
      settings: {},
      aliases: {},
      mappings: { ...mappings, dynamic_templates: [{ texts: { match: '*', mapping: { type: 'keyword' } } }] },
    };
    return indexDifferences(asked, found, {});
  };

  it.for([
    [{ type: 'keyword' }],
    [{ type: 'object', properties: { a: { type: 'long' } } }],
    [{ type: 'object', dynamic: false }],
    [{ type: 'nested', properties: { a: { dynamic: 'strict', properties: {} } } }],
  ])('do no harm where the mapping takes no field that it does not name: %j', ([field]) => {
    expect(differences(field ?? {})).toEqual({
      faults: [],
      harmless: ['"dynamic_templates" in its mapping'],
    });
  });

  it.for([
    [{ type: 'object', dynamic: true }],
    [{ type: 'object', properties: { a: { type: 'nested', dynamic: 'true' } } }],
    [{ dynamic: 'runtime' }],
  ])('are a fault where an object takes such fields: %j', ([field]) => {
    expect(differences(field ?? {}).faults).toEqual(['its mapping came with "dynamic_templates"']);
  });
});

describe('fields that documents brought', () => {
  const brought = { type: 'text', fields: { keyword: { type: 'keyword' } } };

  it.for([
    ['in an object that takes them', { dynamic: 'true' }, { dynamic: 'true', properties: { a: brought } }],
    [
      'in an object within one that takes them',
      { dynamic: true, properties: { o: { properties: { n: { type: 'long' } } } } },
      { dynamic: 'true', properties: { o: { properties: { n: { type: 'long' }, a: brought } } } },
    ],
  ] as const)('are no difference %s', ([, asked, found]) => {
    const left = withoutBroughtFields({ f: asked }, { f: found });
    expect(left['f']).toEqual({ ...asked, dynamic: 'true' });
  });

  it.for([
    ['beside all objects', { f: { type: 'keyword' } }, { f: { type: 'keyword' }, a: brought }],
    [
      'in a strict object within one that takes them',
      { f: { dynamic: 'true', properties: { o: { dynamic: 'strict', properties: {} } } } },
      { f: { dynamic: 'true', properties: { o: { dynamic: 'strict', properties: { a: brought } } } } },
    ],
    ['in an object of a strict mapping', { f: { properties: {} } }, { f: { properties: { a: brought } } }],
  ] as const)('stay a difference %s', ([, asked, found]) => {
    expect(withoutBroughtFields(asked, found)).toEqual(found);
  });
});
