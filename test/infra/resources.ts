import type { ProgramRun } from './program-run.ts';
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

/** URNs of all that an engine makes before this resource. */
export function before(run: ProgramRun, { options }: Registration): Set<string> {
  const found = new Set<string>();
  const visit = (urns: readonly string[]): void => {
    for (const urn of urns) {
      if (found.has(urn)) continue;
      found.add(urn);
      visit(run.registrations.find((registration) => registration.urn === urn)?.options.dependencies ?? []);
    }
  };
  visit(options.dependencies);
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
      return name === undefined ? [] : [[name, String(inputs.value)]];
    }),
  );
}
