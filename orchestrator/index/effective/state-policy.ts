import { ClusterError, read } from '../cluster-error.ts';
import { type SearchCalls, segment } from '../search-calls.ts';

export interface PolicyLook {
  /** The policy that manages the index. Null: none, or none that can be seen. */
  readonly policy: string | null;
  /** Why it could not be seen. Null when it could, or when this cluster has no such policies. */
  readonly unseen: string | null;
}

const POLICY_ID = /(^|\.)policy_id$/;

/**
 * Which policy of OpenSearch's Index State Management manages an index. A policy can attach itself to a new index by the
 * index's name, and no setting of the index shows that. Elasticsearch shows its lifecycle policies as settings. Source:
 * OpenSearch's documentation, "ISM API", "Explain index".
 */
export async function statePolicyOf(cluster: SearchCalls, index: string): Promise<PolicyLook> {
  try {
    const answer = read(await cluster.call('GET', `/_plugins/_ism/explain/${segment(index)}`), index);
    const ids = typeof answer === 'object' && answer !== null ? Object.entries(answer) : [];
    const [, policy] = ids.find(([name, id]) => POLICY_ID.test(name) && typeof id === 'string') ?? [];
    return { policy: typeof policy === 'string' ? policy : null, unseen: null };
  } catch (error) {
    if (!(error instanceof ClusterError) || error.status === 0) throw error;
    // A cluster without the plugin does not know the path.
    const isUnknown = [400, 404, 405, 410].includes(error.status);
    return { policy: null, unseen: isUnknown ? null : error.message };
  }
}
