import type { DescribedDefinition } from '../../../definition/definition.ts';
import { RunFailed } from '../../errors.ts';
import { describeIndex, metaOf } from '../index-meta.ts';
import { finishedBody } from '../mapping.ts';
import type { SearchCalls } from '../search-calls.ts';
import { verifyIndex } from './verify-index.ts';

/**
 * Compares a finished index with what was asked for, as at its creation. Settings and mappings can be changed while an
 * index is built, and a policy attaches itself some time after the creation.
 */
export async function verifyBuilt(
  cluster: SearchCalls,
  described: DescribedDefinition,
  index: string,
): Promise<void> {
  const description = await describeIndex(cluster, index);
  const meta = description === null ? null : metaOf(description);
  if (meta === null)
    throw new RunFailed(
      `the index ${index} is gone, or another one has its name: begin a new run, or run the same command with --restart`,
    );
  await verifyIndex(cluster, index, finishedBody(described, meta), { isNew: false });
}
