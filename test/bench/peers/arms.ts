import type { Client } from 'pg';
import { installPythonPackages } from '../../support/python-packages.ts';
import type { Arm } from './arm.ts';
import { JAVASCRIPT_ARMS } from './javascript/arms.ts';
import { ourArm } from './ours.ts';
import { PYTHON_NAMES, pythonArms, REQUIREMENTS } from './python/arms.ts';

export interface AllArms {
  readonly arms: readonly Arm[];
  /** A sentence for what this machine cannot have. */
  readonly missing: readonly string[];
}

/** Every arm that this machine can have, ours first; Python's packages are installed into the cache. */
export async function allArms(place: {
  readonly client: Client;
  readonly cacheDir: string;
}): Promise<AllArms> {
  const installed = await installPythonPackages({
    cacheDir: place.cacheDir,
    name: 'bench-python',
    requirements: REQUIREMENTS,
    environment: process.env,
  });
  const arms = [ourArm(place.client), ...JAVASCRIPT_ARMS];
  if ('missing' in installed)
    return { arms, missing: [`${PYTHON_NAMES.join(' and ')} are left out: ${installed.missing}.`] };
  return { arms: [...arms, ...pythonArms(installed)], missing: [] };
}

/** The arms of these names, in the arms' own order; all for null. Throws with the names that there are. */
export function chooseArms(arms: readonly Arm[], names: readonly string[] | null): readonly Arm[] {
  if (names === null) return arms;
  const known = arms.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`--arms: there is no ${unknown.join(', ')}; there are ${known.join(', ')}.`);
  return arms.filter(({ name }) => names.includes(name));
}
