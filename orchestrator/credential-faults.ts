import { type Fault, Faults } from '../definition/faults.ts';
import type { Path, YamlFile } from '../definition/yaml-file.ts';
import type { CommonSettings } from './common-settings.ts';

const KEY = 'REINDEX_TARGET_API_KEY';

/**
 * Finds credentials for the cluster that exclude each other: an API key beside a user or a password. A call carries one
 * of them, and nobody can know which one is meant.
 */
export function credentialFaults(
  yaml: YamlFile,
  { targetApiKey, targetPassword }: CommonSettings['secrets'],
): Fault[] {
  if (targetApiKey === null) return [];
  const target = memberOf(yaml.value, 'target');
  const username = memberOf(target, 'username');
  const other: readonly (readonly [path: Path, name: string, isSet: boolean])[] = [
    [['target', 'username'], 'target.username', typeof username === 'string' && username !== ''],
    [['target', 'url'], 'the user in target.url', hasUser(memberOf(target, 'url'))],
    [['target'], 'REINDEX_TARGET_PASSWORD', targetPassword !== null && targetPassword !== ''],
  ];
  return other
    .filter(([, , isSet]) => isSet)
    .map(([path, name]) =>
      yaml.faultAt(
        path,
        `${name} and ${KEY} are both set, and a call carries one of them. Keep the user with its password, or the API key.`,
      ),
    );
}

/** Checks settings, and names these faults together with those that the check finds. */
export function withCredentialFaults<T>(faults: readonly Fault[], check: () => T): T {
  try {
    const checked = check();
    if (faults.length === 0) return checked;
  } catch (error) {
    if (!(error instanceof Faults)) throw error;
    throw new Faults([...error.faults, ...faults], { cause: error });
  }
  throw new Faults(faults);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function hasUser(url: unknown): boolean {
  return typeof url === 'string' && URL.canParse(url) && new URL(url).username !== '';
}
