interface Privilege {
  readonly path: RegExp;
  /** The action, as OpenSearch's roles and both products' refusals name it. */
  readonly action: string;
  /** The privilege of Elasticsearch's roles that holds it. Null: Elasticsearch has no such call. */
  readonly privilege: string | null;
}

/** What calls that speak of the whole cluster need. The calls that speak of an index need rights on that index. */
const CLUSTER_PRIVILEGES: readonly Privilege[] = [
  { path: /^\/(\?|$)/, action: 'cluster:monitor/main', privilege: 'monitor' },
  { path: /^\/_cluster\/settings/, action: 'cluster:monitor/settings', privilege: 'monitor' },
  { path: /^\/_cluster\/health/, action: 'cluster:monitor/health', privilege: 'monitor' },
  {
    path: /^\/_cluster\/allocation\/explain/,
    action: 'cluster:monitor/allocation/explain',
    privilege: 'monitor',
  },
  { path: /^\/_cluster\//, action: 'cluster:monitor/*', privilege: 'monitor' },
  { path: /^\/_cat\/allocation/, action: 'cluster:monitor/nodes/stats', privilege: 'monitor' },
  { path: /^\/_nodes\/data/, action: 'cluster:monitor/nodes/info', privilege: 'monitor' },
  { path: /^\/_(nodes|cat)\b/, action: 'cluster:monitor/nodes/*', privilege: 'monitor' },
  { path: /^\/_tasks/, action: 'cluster:monitor/task/*', privilege: 'monitor' },
  {
    path: /^\/_index_template\/_simulate_index/,
    action: 'indices:admin/index_template/simulate_index',
    privilege: 'manage_index_templates',
  },
  {
    path: /^\/_index_template/,
    action: 'indices:admin/index_template/get',
    privilege: 'manage_index_templates',
  },
  { path: /^\/_template/, action: 'indices:admin/template/get', privilege: 'manage_index_templates' },
  {
    path: /^\/_plugins\/_ism\/explain/,
    action: 'cluster:admin/opendistro/ism/managedindex/explain',
    privilege: null,
  },
  { path: /^\/_ingest\/pipeline/, action: 'cluster:admin/ingest/pipeline/get', privilege: 'read_pipeline' },
];

/** The privilege that a call at the cluster's level needs. Null for a call that needs none. */
export function privilegeWords(call: string): string | null {
  const path = call.replace(/^[A-Z]+ /, '');
  const found = CLUSTER_PRIVILEGES.find((each) => each.path.test(path));
  if (found === undefined) return null;
  const { action, privilege } = found;
  return `the cluster's privilege ${action}${privilege === null ? '' : ` (Elasticsearch: ${privilege})`}`;
}
