import type { ProgramRun, StackConfiguration } from './program-run.ts';
import type { Registration } from './registration.ts';

/** Words for what a run registered. */

/** Those of one type: `aws:iam/role:Role`. */
export function ofType(run: ProgramRun, type: string): Registration[] {
  return run.registrations.filter((registration) => registration.type === type);
}

/** The one of its type, of this logical name where there are several. */
export function one(run: ProgramRun, type: string, name: string | null = null): Registration {
  const found = ofType(run, type).filter((registration) => name === null || registration.name === name);
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} of ${type} ${name ?? ''}`);
  return first;
}

/** What a provider makes, without components. */
export function resources(run: ProgramRun): Registration[] {
  return run.registrations.filter(({ custom }) => custom);
}

/** Something of each, by URN, so that a difference says of which. */
export function byUrn<T>(
  registrations: readonly Registration[],
  value: (registration: Registration) => T,
): Record<string, T> {
  return Object.fromEntries(registrations.map((registration) => [registration.urn, value(registration)]));
}

/** Names of those among `needed` that an engine need not make before a resource. */
export function notBefore(
  run: ProgramRun,
  registration: Registration,
  needed: readonly Registration[],
): string[] {
  const made = before(run, registration);
  return needed.filter(({ urn }) => !made.has(urn)).map(({ type, name }) => `${type} ${name}`);
}

/** URNs of all that an engine makes before this resource: its parents too, and what these depend on. */
function before(run: ProgramRun, registration: Registration): Set<string> {
  const byUrn = new Map(run.registrations.map((one) => [one.urn, one]));
  const found = new Set<string>();
  const visit = ({ options, parent }: Pick<Registration, 'options' | 'parent'>): void => {
    for (const urn of [...options.dependencies, parent]) {
      const other = byUrn.get(urn);
      if (other === undefined || found.has(urn)) continue;
      found.add(urn);
      visit(other);
    }
  };
  visit(registration);
  return found;
}

/** The name by which AWS knows it; null: it has none of its own. */
export function physicalName({ inputs }: Registration): string | null {
  const names = [inputs.name, inputs.bucket, inputs.dashboardName];
  return names.find((name) => typeof name === 'string') ?? null;
}

/** The user data of the run's launch template, as an instance gets it. */
export function userDataOf(run: ProgramRun): string {
  const { userData } = one(run, 'aws:ec2/launchTemplate:LaunchTemplate').inputs;
  return Buffer.from(String(userData), 'base64').toString();
}

/** What the workers are told by Parameter Store, by name. */
export function workerParameters(run: ProgramRun): Record<string, string> {
  return Object.fromEntries(
    ofType(run, 'aws:ssm/parameter:Parameter').flatMap(({ inputs }) => {
      const [, name] = /\/worker\/(\w+)$/.exec(String(inputs.name)) ?? [];
      return name === undefined ? [] : [[name, String(inputs.value ?? inputs.insecureValue)]];
    }),
  );
}

/** The fleet of a stack `production`. */
export function fleetOf({ fleet }: StackConfiguration): string {
  return typeof fleet === 'string' ? fleet : 'production';
}

/** All that a person can see of a run: plan, state, outputs, as JSON. */
export function shownBy({ registrations, states, shownOutputs, shownComponentOutputs }: ProgramRun): string {
  const plan = registrations.map((registration) => ({ ...registration, inputs: null }));
  return JSON.stringify([plan, [...states], shownOutputs, [...shownComponentOutputs]]);
}

/** URNs of all resources, in order. */
export function identities(run: ProgramRun): string[] {
  return run.registrations.map(({ urn }) => urn).sort();
}
