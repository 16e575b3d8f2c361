import { beforeAll, expect, it } from 'vitest';
import { FULL } from '../infra/full-configuration.ts';
import { awsProvider, untoldOf } from '../infra/materialise/aws-provider.ts';
import { unmade } from '../infra/materialise/unmade.ts';
import { runProgram } from '../infra/program-run.ts';
import type { Registration } from '../infra/registration.ts';
import { without } from '../infra/without.ts';

/** The translation of what the stack registers into calls of AWS's API, see test/infra/materialise: it leaves nothing out. */

let registrations: readonly Registration[] = [];
beforeAll(async () => {
  const provider = awsProvider(unmade(() => {}));
  const run = await runProgram(FULL, { provider });
  provider.requireMade();
  registrations = run.registrations.filter(
    // Drawn, not asked for.
    ({ custom, type }) => custom && type !== 'random:index/randomPassword:RandomPassword',
  );
});

it('the AWS stand-in for the stack’s tests passes every property on to a call, or says why not', async () => {
  expect(await silentProperties()).toEqual([]);
  expect(registrations.length).toBeGreaterThan(40);
});

it('the check of the AWS stand-in finds a property that is left out without a reason', async () => {
  const forgetful = (inputs: Inputs): Inputs => without(inputs, 'description');
  const silent = await silentProperties(forgetful);
  expect(silent).toContain('fleet-network (aws:ec2/securityGroup:SecurityGroup): description');
  expect(silent.every((sentence) => sentence.endsWith(': description'))).toBe(true);
});

it('the AWS stand-in refuses a resource of an unknown type', async () => {
  const provider = awsProvider(unmade(() => {}));
  const [registration] = registrations;
  if (registration === undefined) throw new Error('nothing was registered');
  await provider.create({ ...registration, type: 'aws:sqs/queue:Queue' });
  expect(() => provider.requireMade()).toThrow('nobody makes a aws:sqs/queue:Queue here');
});

type Inputs = Registration['inputs'];

/** Properties that may be anything without a change in what AWS is told, though nobody says that it may not be told. */
async function silentProperties(
  handOver: (inputs: Inputs) => Inputs = (inputs) => inputs,
): Promise<string[]> {
  const silent: string[] = [];
  for (const registration of registrations) {
    const before = await callsFor(registration, handOver(registration.inputs));
    for (const { path, inputs } of changesOf(registration.inputs)) {
      const isTold = !untoldOf(registration.type).has(path.split('.')[0] ?? '');
      const after = await callsFor(registration, handOver(inputs));
      if (isTold === (JSON.stringify(after) === JSON.stringify(before)))
        silent.push(`${registration.name} (${registration.type}): ${path}`);
    }
  }
  return silent;
}

/** What AWS is told, and what is refused before that. */
async function callsFor(registration: Registration, inputs: Inputs): Promise<unknown[]> {
  const calls: unknown[] = [];
  const provider = awsProvider(unmade((call) => void calls.push(call)));
  await provider.create({ ...registration, inputs });
  try {
    provider.requireMade();
  } catch (error) {
    calls.push((error as Error).message);
  }
  return calls;
}

interface Change {
  readonly path: string;
  readonly inputs: Inputs;
}

/** The inputs with one leaf that is another, for each leaf, and with a property that nobody knows, in each map. */
function changesOf(inputs: Inputs): Change[] {
  return variants(inputs, '').map(({ path, value }) => ({
    path: path.replace(/^\./, ''),
    inputs: value as Inputs,
  }));
}

interface Variant {
  readonly path: string;
  readonly value: unknown;
}

function variants(value: unknown, path: string): Variant[] {
  if (Array.isArray(value))
    return value.flatMap((member, index) =>
      variants(member, `${path}.${index}`).map((variant) => ({
        ...variant,
        value: value.with(index, variant.value),
      })),
    );
  if (typeof value !== 'object' || value === null) return [{ path, value: other(value) }];
  const changed = Object.entries(value)
    // What marks an asset for Pulumi.
    .filter(([name]) => !name.startsWith('__') && !/^[0-9a-f]{32}$/.test(name))
    .flatMap(([name, member]) =>
      variants(member, `${path}.${name}`).map((variant) => ({
        ...variant,
        value: { ...value, [name]: variant.value },
      })),
    );
  return [...changed, { path: `${path}.unheardOf`, value: { ...value, unheardOf: 'of' } }];
}

function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  return typeof value === 'boolean' ? !value : `${String(value)}x`;
}
