/** The settings of a small run with local workers. */
export function usualSettings({
  alias,
  databaseUrl,
  searchUrl,
}: Readonly<Record<'alias' | 'databaseUrl' | 'searchUrl', string>>): Record<string, unknown> {
  return {
    fleet: alias,
    definitions: 'definitions',
    source: { url: databaseUrl },
    target: { url: searchUrl },
    journal: { url: 'journal', lease_ms: 3_000 },
    workers: { count: 2 },
    local: { poll_interval_ms: 50 },
  };
}

/** Changes a map deeply. What is no map is replaced. */
export function changedDeeply(
  base: Readonly<Record<string, unknown>>,
  change: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const changed: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(change)) {
    const before = changed[name];
    changed[name] = isMap(before) && isMap(value) ? changedDeeply(before, value) : value;
  }
  return changed;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
