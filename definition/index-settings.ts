/**
 * Settings that a build sets itself or that would break it, with what to write instead. Without the `index.` prefix.
 */
const REFUSED: readonly [pattern: RegExp, instead: string][] = [
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
  return flatten(settings, []).flatMap(({ path, name }) => {
    const refused = REFUSED.find(([pattern]) => pattern.test(name));
    return refused === undefined ? [] : [{ path, message: refused[1] }];
  });
}

/**
 * Every prefix of every setting, so that `blocks: {…}` is named where it is. What is below a refused setting is not
 * listed.
 */
function flatten(value: unknown, path: readonly string[]): { path: readonly string[]; name: string }[] {
  const name = path.join('.').replace(/^index(\.|$)/, '');
  const here = path.length === 0 ? [] : [{ path, name }];
  if (REFUSED.some(([pattern]) => pattern.test(name))) return here;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return here;
  return [...here, ...Object.entries(value).flatMap(([key, part]) => flatten(part, [...path, key]))];
}
