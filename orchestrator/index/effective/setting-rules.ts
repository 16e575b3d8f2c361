/** What becomes of an index setting that nobody asked for. */
export type SettingVerdict =
  | { readonly kind: 'own' }
  | { readonly kind: 'harmless' }
  | { readonly kind: 'refused'; readonly why: string };

const OWN: SettingVerdict = { kind: 'own' };
const HARMLESS: SettingVerdict = { kind: 'harmless' };

/** A setting that hides, loses, moves or limits, unless its value is one that `unless` matches. */
interface Rule {
  readonly pattern: RegExp;
  readonly why: string;
  readonly unless?: RegExp;
}

const OFF = /^false$/;

/**
 * What the cluster writes into every index by itself. Elasticsearch 7.10 and later write `_tier_preference`, OpenSearch
 * writes `replication.type`.
 */
const CLUSTER_SETS: readonly Rule[] = [
  {
    pattern:
      /^(uuid|provided_name|creation_date(_string)?|version\..*|history\.uuid|resize\..*|remote_store\..*|verified_before_close)$/,
    why: '',
  },
  { pattern: /^routing\.allocation\.initial_recovery\./, why: '' },
];
const CLUSTER_DEFAULTS: readonly [name: string, value: RegExp][] = [
  ['routing.allocation.include._tier_preference', /^data_(content|hot)(,|$)/],
  ['replication.type', /^DOCUMENT$/],
  ['number_of_shards', /^1$/],
  ['mapping.coerce', /^true$/],
];

/** Known members of the families below that neither lose nor hide anything. */
const HARMLESS_MEMBERS =
  /^(mapping\.(coerce|exclude_source_vectors|synthetic_source_keep|field_name_length\.limit|depth\.limit|dimension_fields\.limit|nested_fields\.limit|nested_objects\.limit|nested_parents\.limit|total_fields\.limit)|lifecycle\.(prefer_ilm|indexing_complete|skip)|search\.(slowlog|idle|concurrent\w*)\..*|query\.parse\.allow_unmapped_fields|soft_deletes\.retention.*)$/;

const FAMILIES: readonly Rule[] = [
  {
    pattern: /^mapping\.ignore_malformed$/,
    unless: OFF,
    why: 'the index drops values that it cannot parse, and _source still shows them',
  },
  {
    pattern: /^mapping\.ignore_above$/,
    why: 'the index leaves out long texts, and _source still shows them',
  },
  {
    pattern: /^mapping\.total_fields\.ignore_dynamic_beyond_limit$/,
    unless: OFF,
    why: 'the index leaves out fields',
  },
  {
    pattern: /^mapping\.source\.mode$/,
    unless: /^stored$/,
    why: '_source does not give back what was sent',
  },
  { pattern: /^mapping\./, why: 'it may change which values the index holds' },
  {
    pattern: /^derived_source\./,
    unless: OFF,
    why: '_source does not give back what was sent',
  },
  { pattern: /^append_only\./, unless: OFF, why: 'no document can be written with an id or a second time' },
  { pattern: /^soft_deletes\.enabled$/, unless: /^true$/, why: 'the index keeps no history of its writes' },
  {
    pattern: /^(mode|routing_path|time_series\..*)$/,
    unless: /^standard$/,
    why: 'the index stores, sorts or finds documents in its own way',
  },
  {
    pattern: /^routing_partition_size$/,
    unless: /^1$/,
    why: 'documents go to shards by a routing that a run does not give',
  },
  { pattern: /^hidden$/, unless: OFF, why: 'searches by a pattern do not find the index' },
  { pattern: /^lifecycle\./, why: 'a lifecycle policy moves, rolls over or deletes the index later' },
  {
    pattern: /^(plugins|opendistro)\.index_state_management\./,
    unless: OFF,
    why: 'a state management policy moves, rolls over or deletes the index later',
  },
  { pattern: /^(plugins|xpack|rollup|downsample)\./, why: 'a plugin may change or delete the index later' },
  {
    pattern: /^routing\.allocation\./,
    unless: /^(all|-1)$/,
    why: 'it decides which nodes may hold the index',
  },
  { pattern: /^search\.default_pipeline$/, unless: /^_none$/, why: 'it changes what every search finds' },
  { pattern: /^search\.throttled$/, unless: OFF, why: 'ordinary searches leave the index out' },
  { pattern: /^search\./, why: 'it may change what searches find' },
  { pattern: /^query\./, unless: /^\*$/, why: 'it changes in which fields searches look' },
  { pattern: /^sort\./, why: 'the index sorts its documents' },
  { pattern: /^blocks\./, unless: OFF, why: 'it blocks the index' },
  {
    pattern: /^auto_expand_(search_)?replicas$/,
    unless: OFF,
    why: 'the number of copies changes by itself',
  },
  { pattern: /^frozen$/, unless: OFF, why: 'ordinary searches leave the index out' },
  {
    pattern: /^store\.(snapshot\..*|type)$/,
    unless: /^(fs|niofs|mmapfs|hybridfs)$/,
    why: 'it moves the data',
  },
  {
    pattern: /^write\.wait_for_active_shards$/,
    unless: /^(0|1|all)$/,
    why: 'every write waits for copies that the index does not have while it is built',
  },
  {
    pattern: /^translog\.durability$/,
    unless: /^request$/i,
    why: 'a node that crashes loses the last writes, which it has acknowledged',
  },
];

/** Limits with the cluster's default. A greater limit takes nothing away. */
const LIMITS: Readonly<Record<string, number>> = {
  max_result_window: 10_000,
  max_inner_result_window: 100,
  max_rescore_window: 10_000,
  max_docvalue_fields_search: 100,
  max_script_fields: 32,
  max_ngram_diff: 1,
  max_shingle_diff: 3,
  max_refresh_listeners: 1_000,
  max_terms_count: 65_536,
  max_regex_length: 1_000,
  max_slices_per_scroll: 1_024,
  max_slices_per_pit: 1_024,
  max_adjacency_matrix_filters: 100,
  'highlight.max_analyzed_offset': 1_000_000,
};

/**
 * Judges a setting that an index has and that nobody asked for. Names have their full form (`index.hidden`). An unknown
 * setting is refused if it is of a family that loses or hides, and is else harmless.
 *
 * @param asked the settings that were asked for
 */
export function judgeSetting(
  fullName: string,
  value: unknown,
  asked: Readonly<Record<string, unknown>>,
): SettingVerdict {
  const name = fullName.replace(/^index\./, '');
  const text = String(value);
  if (CLUSTER_SETS.some(({ pattern }) => pattern.test(name))) return OWN;
  if (CLUSTER_DEFAULTS.some(([known, own]) => known === name && own.test(text))) return OWN;
  if (HARMLESS_MEMBERS.test(name)) return HARMLESS;
  const analysis = judgeAnalysis(name, asked);
  if (analysis !== null) return analysis;
  if (/^(max_|highlight\.)/.test(name)) return judgeLimit(name, text);
  const rule = FAMILIES.find(({ pattern }) => pattern.test(name));
  if (rule === undefined || rule.unless?.test(text)) return HARMLESS;
  return { kind: 'refused', why: rule.why };
}

function judgeLimit(name: string, text: string): SettingVerdict {
  const usual = LIMITS[name];
  const value = Number(text);
  if (usual !== undefined && (value >= usual || value === -1)) return HARMLESS;
  return { kind: 'refused', why: 'it limits searches that otherwise work' };
}

/** A part of an analyzer, or another component, that the definition describes, or that fields use unnamed. */
function judgeAnalysis(name: string, asked: Readonly<Record<string, unknown>>): SettingVerdict | null {
  const [, kind, component] = /^analysis\.([^.]+)\.([^.]+)/.exec(name) ?? [];
  if (kind === undefined || component === undefined) return null;
  const prefix = `index.analysis.${kind}.${component}.`;
  const isAsked = Object.keys(asked).some((other) => other.startsWith(prefix));
  const isDefault = kind === 'analyzer' && /^default(_search)?$/.test(component);
  return isAsked || isDefault ? { kind: 'refused', why: 'it changes how texts are indexed' } : HARMLESS;
}
