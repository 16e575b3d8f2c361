import { RunFailed } from '../errors.ts';
import { describeIndex, metaOf } from './index-meta.ts';
import { isOwnAliasOf } from './names.ts';
import { type CallOptions, type SearchCalls, segment } from './search-calls.ts';

/**
 * Removes an index of this run. True when the index existed. Throws if it belongs to another run, or if readers use it.
 */
export async function deleteOwnIndex(
  cluster: SearchCalls,
  index: string,
  run: string,
  options: CallOptions = {},
): Promise<boolean> {
  const description = await describeIndex(cluster, index);
  if (description === null) return false;
  if (metaOf(description)?.run !== run)
    throw new RunFailed(`the index ${index} does not belong to run ${run} and stays`);
  const readers = Object.keys(description.aliases).filter((alias) => !isOwnAliasOf(index, alias));
  if (readers.length > 0)
    throw new RunFailed(`the alias ${readers.join(', ')} serves the index ${index}, so the index stays`);
  await cluster.callOrNull('DELETE', `/${segment(index)}`, null, options);
  return true;
}
