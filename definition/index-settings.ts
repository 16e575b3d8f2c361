/**
 * Settings that a build sets itself or that would break it, with what to write instead. Without the `index.` prefix.
 */
const REFUSED: readonly [pattern: RegExp, instead: string, unless?: RegExp][] = [
  [
    /^refresh_interval$/,
    'A build switches refreshes off and sets this at its end: write it as index.refresh_interval, beside settings.',
  ],
  [
    /^number_of_replicas$/,
    'A build runs without replicas and sets them at its end: write it as index.number_of_replicas, beside settings.',
  ],
  [
    /^auto_expand_replicas$/,
    'A build runs without replicas: write a fixed index.number_of_replicas, beside settings.',
  ],
  [
    /^blocks(\.|$)/,
    'A build sets and removes write blocks itself, and another block would stop it: leave it out.',
  ],
  [
    /^(default|final)_pipeline$/,
    "Name the ingest pipeline as the definition's own setting pipeline; a build lets no other one change its documents.",
  ],
  [/^gc_deletes$/, 'A build sets this itself: leave it out.'],
  [
    /^append_only(\.enabled)?$/,
    'An append-only index takes no document with an id of its own, and a build writes each document by its key: leave it out.',
    /^false$/,
  ],
  [
    /^derived_source(\.enabled)?$/,
    'The cluster then makes _source anew from the index: dates change their form, arrays are sorted and lose what is there twice. A build compares _source with the table: leave it out.',
    /^false$/,
  ],
  [
    /^mapping\.source\.mode$/,
    'The cluster then does not give back what was sent, and a build compares _source with the table: write stored, or leave it out.',
    /^stored$/i,
  ],
  [
    /^mode$/,
    'An index of this mode makes _source anew, or wants documents in its own form: write standard or lookup, or leave it out.',
    /^(standard|lookup)$/i,
  ],
  [
    /^(routing_path|time_series(\..*)?)$/,
    'An index of time series makes the ids of its documents itself, and a build writes each document by its key: leave it out.',
  ],
  [
    /^routing_partition_size$/,
    'Such an index wants a routing with every document, and a build gives none: leave it out.',
    /^1$/,
  ],
  [/^soft_deletes\.enabled$/, 'No cluster of today creates such an index: leave it out.', /^true$/],
  [
    /^write\.wait_for_active_shards$/,
    'A build runs without replicas, so that every write would wait for copies that are not there: leave it out, or set it when the index is complete.',
    /^(0|1|all)$/,
  ],
  [
    /^(store\.snapshot(\..*)?|frozen|search\.throttled|verified_before_close|resize(\..*)?|routing\.allocation\.initial_recovery(\..*)?|xpack\.ccr(\..*)?|plugins\.replication(\..*)?)$/,
    'Only the cluster itself makes such an index, and no build can write to it: leave it out.',
    /^false$/,
  ],
  [
    /^(uuid|provided_name|creation_date|version(\..*)?|history\.uuid)$/,
    'The cluster sets this itself: leave it out.',
  ],
];

export interface SettingFault {
  readonly path: readonly string[];
  readonly message: string;
}

/** Finds the index settings that a definition may not hold, however they are nested or dotted. */
export function indexSettingFaults(settings: Readonly<Record<string, unknown>>): SettingFault[] {
  return flatten(settings, []).flatMap(({ path, name, value }) => {
    const refused = refusalOf(name, value);
    return refused === undefined ? [] : [{ path, message: refused[1] }];
  });
}

/** A map is not refused by its name alone if some values are allowed: what stands in it decides. */
function refusalOf(name: string, value: unknown) {
  return REFUSED.find(([pattern, , unless]) => {
    if (!pattern.test(name)) return false;
    if (unless === undefined) return true;
    if (typeof value === 'object') return Array.isArray(value);
    return !unless.test(typeof value === 'string' ? value : JSON.stringify(value));
  });
}

interface FlatSetting {
  readonly path: readonly string[];
  readonly name: string;
  readonly value: unknown;
}

/**
 * Every prefix of every setting, so that `blocks: {…}` is named where it is. What is below a refused setting is not
 * listed.
 */
function flatten(value: unknown, path: readonly string[]): FlatSetting[] {
  const name = path.join('.').replace(/^index(\.|$)/, '');
  const here = path.length === 0 ? [] : [{ path, name, value }];
  if (refusalOf(name, value) !== undefined) return here;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return here;
  return [...here, ...Object.entries(value).flatMap(([key, part]) => flatten(part, [...path, key]))];
}
