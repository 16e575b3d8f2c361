import { ClusterError } from './cluster-error.ts';

/** How OpenSearch refuses a number of copies that it cannot balance over its zones. */
const MULTIPLE = /\bcopies\b.*\bmultiple of\b.*\[(\d+)\]/i;

/**
 * Does something with the least number of replicas that the cluster takes. That is 0 nearly everywhere. A cluster that
 * balances copies over its zones refuses 0 and says which multiple it wants, to users too who may not see its settings.
 *
 * @returns what `work` returned, and the number of replicas
 */
export async function withLeastReplicas<T>(
  work: (replicas: number) => Promise<T>,
): Promise<{ readonly result: T; readonly replicas: number }> {
  try {
    return { result: await work(0), replicas: 0 };
  } catch (error) {
    const replicas = leastReplicasIn(error);
    if (replicas === null) throw error;
    return { result: await work(replicas), replicas };
  }
}

/** The least number of replicas that a refusal leaves. Null for every other refusal. */
function leastReplicasIn(error: unknown): number | null {
  if (!(error instanceof ClusterError) || error.status !== 400) return null;
  const [, multiple] = MULTIPLE.exec(error.message) ?? [];
  return multiple === undefined || Number(multiple) < 2 ? null : Number(multiple) - 1;
}
