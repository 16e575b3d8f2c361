import { describe, expect, it } from 'vitest';
import { runIdentitySchema } from '../../orchestrator/reconcile/identity.ts';
import { IDENTITY } from '../support/virtual-world.ts';

const { type: _, ...IDENTITY_ALONE } = IDENTITY;
const [TARGET] = IDENTITY.targets;
const OTHER = { ...TARGET, alias: 'places', index: 'places-1', deadLetterIndex: 'places-1-dead-letters' };

/** What is wrong with the identity of a run with these targets; nothing if it is right. */
function faultsOf(targets: unknown): string[] {
  const parsed = runIdentitySchema.safeParse({ ...IDENTITY_ALONE, targets });
  return parsed.error?.issues.map(({ message }) => message) ?? [];
}

describe('the targets of a run', () => {
  it('may be one or several', () => {
    expect(faultsOf([TARGET])).toEqual([]);
    expect(faultsOf([TARGET, OTHER])).toEqual([]);
  });

  it('must not be empty', () => {
    expect(faultsOf([])).toHaveLength(1);
  });

  it('must not name an index twice, not even as a companion index', () => {
    expect(faultsOf([TARGET, { ...OTHER, index: TARGET.index }])).toEqual([
      `the index ${TARGET.index} is there twice`,
    ]);
    expect(faultsOf([TARGET, { ...OTHER, deadLetterIndex: TARGET.index }])).toEqual([
      `the index ${TARGET.index} is there twice`,
    ]);
  });

  it('must not name an alias twice', () => {
    expect(faultsOf([TARGET, { ...OTHER, alias: TARGET.alias }])).toEqual([
      `the alias ${TARGET.alias} is there twice`,
    ]);
  });
});
