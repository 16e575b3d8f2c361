/**
 * Errors of the cluster, a node, a shard or a queue that pass by themselves, by `error.type`, whatever status they come
 * with. No document causes them. Sources: the exceptions of OpenSearch and Elasticsearch, by their registered names.
 */
const PASSING = new Set([
  'circuit_breaking_exception',
  'es_rejected_execution_exception',
  'rejected_execution_exception',
  'opensearch_rejected_execution_exception',
  'unavailable_shards_exception',
  'no_shard_available_action_exception',
  'process_cluster_event_timeout_exception',
  'master_not_discovered_exception',
  'cluster_manager_not_discovered_exception',
  'not_master_exception',
  'not_cluster_manager_exception',
  'failed_to_commit_cluster_state_exception',
  'timeout_exception',
  'elasticsearch_timeout_exception',
  'opensearch_timeout_exception',
  'receive_timeout_transport_exception',
  'connect_transport_exception',
  'send_request_transport_exception',
  'node_closed_exception',
  'node_not_connected_exception',
  'node_disconnected_exception',
  'no_node_available_exception',
  'task_cancelled_exception',
  'shard_not_found_exception',
  'shard_not_in_primary_mode_exception',
  'no_longer_primary_shard_exception',
  'primary_shard_closed_exception',
  'retry_on_primary_exception',
  'retry_on_replica_exception',
  'index_shard_closed_exception',
  'index_shard_not_started_exception',
  'index_shard_recovering_exception',
  'index_shard_relocated_exception',
  'illegal_index_shard_state_exception',
  'engine_exception',
  'engine_closed_exception',
  'flush_failed_engine_exception',
  'already_closed_exception',
  'alreadyclosed_exception',
  'translog_exception',
  'translog_corrupted_exception',
  'corrupt_index_exception',
  'i_o_exception',
  'file_system_exception',
]);

export function passesByItself(type: string): boolean {
  return PASSING.has(type);
}
