import { type Fault, Faults } from '../definition/faults.ts';
import type { Path, YamlFile } from '../definition/yaml-file.ts';
import { FLEET_KINDS } from './fleet/kinds.ts';

/** Settings of earlier versions, with the settings that replace them. */
export const FORMER_NAMES: readonly (readonly [name: string, instead: string])[] = [
  ['journal.directory', 'journal.url'],
  // With another prefix than the journal has, a run would begin beside the journal, with a lock of its own.
  [
    'aws.journal_bucket',
    'journal.url (s3://bucket/prefix; the prefix was reindex-fleet where aws.journal_prefix named no other)',
  ],
  ['aws.journal_prefix', 'journal.url (s3://bucket/prefix)'],
  ['aws.price_per_hour', 'price.per_hour'],
  ['aws.currency', 'price.currency'],
  ...FLEET_KINDS.flatMap(({ section, formerNames }) =>
    Object.entries(formerNames).flatMap(([former, names]) =>
      names.map((name) => [`${former}.${name}`, `${section}.${name}`] as const),
    ),
  ),
];

/**
 * Checks settings whose form may be wrong as a whole. Each setting of an earlier version is a fault that gives the
 * present name. Each fleet after the first is a fault too. These faults come with all that `check` finds.
 *
 * @param check throws Faults
 */
export function checkForm<T>(yaml: YamlFile, check: (yaml: YamlFile) => T): T {
  const former = FORMER_NAMES.map(([name, instead]) => ({ name, instead, path: name.split('.') })).filter(
    ({ path }) => hasPath(yaml.value, path),
  );
  const faults = [
    ...former.map(({ name, instead, path }) => yaml.faultAt(path, `${name} is now ${instead}.`, 'name')),
    ...secondFleets(yaml),
  ];
  if (faults.length === 0) return check(yaml);
  const value = former.reduce<unknown>((rest, { path }) => withoutPath(rest, path), yaml.value);
  throw new Faults([...faults, ...faultsOf(() => check({ ...yaml, value }))].sort(byPlace));
}

function secondFleets({ value, faultAt }: YamlFile): Fault[] {
  const [first, ...others] = FLEET_KINDS.map(({ section }) => section).filter((name) =>
    hasPath(value, [name]),
  );
  return others.map((name) =>
    faultAt([name], `${first} and ${name} both say where workers run: keep one of them.`, 'name'),
  );
}

function faultsOf(check: () => unknown): readonly Fault[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof Faults) return error.faults;
    throw error;
  }
}

function byPlace(a: Fault, b: Fault): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function hasPath(value: unknown, [first, ...rest]: Path): boolean {
  if (first === undefined) return true;
  return isMap(value) && Object.hasOwn(value, first) && hasPath(Reflect.get(value, first), rest);
}

function withoutPath(value: unknown, [first, ...rest]: Path): unknown {
  if (first === undefined || !isMap(value)) return value;
  const entries = Object.entries(value).flatMap(([name, part]): [string, unknown][] =>
    name !== first ? [[name, part]] : rest.length === 0 ? [] : [[name, withoutPath(part, rest)]],
  );
  return Object.fromEntries(entries);
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
