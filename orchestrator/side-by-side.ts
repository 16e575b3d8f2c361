import pMap, { pMapSkip } from 'p-map';

/**
 * Works on several items at a time. The results are in the order of the items. After a failure it begins no more items,
 * and throws the failure when the running ones have ended.
 */
export async function sideBySide<T, R>(
  items: readonly T[],
  atATime: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const failures: unknown[] = [];
  // p-map alone rejects at the first failure, while other work is still running.
  const begun = async (item: T): Promise<{ readonly result: R } | typeof pMapSkip> => {
    if (failures.length > 0) return pMapSkip;
    try {
      return { result: await work(item) };
    } catch (error) {
      failures.push(error);
      return pMapSkip;
    }
  };
  const ended = await pMap(items, begun, { concurrency: atATime });
  if (failures.length > 0) throw failures[0];
  return ended.map(({ result }) => result);
}
