import * as pulumi from '@pulumi/pulumi';
import {
  type PolicyResource,
  type ResourceValidationArgs,
  type StackValidationArgs,
  unknownCheckingProxy,
} from '@pulumi/policy';
import { policies } from '../../infra/policies/policies.ts';
import type { ProgramRun } from './program-run.ts';
import { UNKNOWN } from './property-values.ts';

/** A resource as an engine shows it to a policy pack. */
export interface Shown {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** What is not known is `UNKNOWN`. */
  readonly props: unknown;
  /** URNs by property. */
  readonly dependencies: Readonly<Record<string, readonly string[]>>;
}

/** What a policy has against a resource. */
export interface Reported {
  readonly policy: string;
  /** The resource's name. */
  readonly resource: string;
  readonly message: string;
}

export function shownTo({ registrations }: Pick<ProgramRun, 'registrations'>): Shown[] {
  return registrations.map(({ type, name, urn, inputs, options }) => ({
    type,
    name,
    urn,
    props: inputs,
    dependencies: options.inputDependencies,
  }));
}

/** Asks the pack as the SDK's server does: of each resource, then of all together. */
export async function reportedOf(resources: readonly Shown[]): Promise<Reported[]> {
  const reported: Reported[] = [];
  const report = (policy: string, urn: string) => (message: unknown, of?: string) => {
    const found = resources.find((resource) => resource.urn === (of ?? urn));
    reported.push({ policy, resource: found?.name ?? 'nobody', message: String(message) });
  };
  for (const policy of policies) {
    if ('validateStack' in policy) {
      await policy.validateStack(stackArgs(resources), report(policy.name, ''));
      continue;
    }
    const validations = [policy.validateResource ?? []].flat();
    for (const resource of resources)
      for (const validation of validations)
        await validation(resourceArgs(resource), report(policy.name, resource.urn));
  }
  return reported;
}

function notAsked(): never {
  throw new Error('no policy of the pack asks this');
}

const NOT_ASKED = { isType: notAsked, asType: notAsked, getConfig: notAsked, notApplicable: notAsked };

const OPTIONS: ResourceValidationArgs['opts'] = {
  protect: false,
  ignoreChanges: [],
  aliases: [],
  customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
  additionalSecretOutputs: [],
};

function resourceArgs({ type, name, urn, props }: Shown): ResourceValidationArgs {
  const opts = OPTIONS;
  return { type, name, urn, opts, props: proxied(props), stackTags: new Map(), ...NOT_ASKED };
}

function stackArgs(resources: readonly Shown[]): StackValidationArgs {
  const all = new Map(resources.map((resource) => [resource.urn, policyResource(resource)]));
  for (const { urn, dependencies } of resources)
    for (const [property, urns] of Object.entries(dependencies))
      Object.assign(all.get(urn)?.propertyDependencies ?? {}, {
        [property]: urns.flatMap((of) => all.get(of) ?? []),
      });
  return { resources: [...all.values()], stackTags: new Map(), ...NOT_ASKED };
}

function policyResource({ type, name, urn, props }: Shown): PolicyResource {
  return {
    type,
    name,
    urn,
    props: proxied(props),
    opts: OPTIONS,
    dependencies: [],
    propertyDependencies: {},
    ...NOT_ASKED,
  };
}

/** What is not known throws when it is read. */
function proxied(props: unknown): Record<string, unknown> {
  return unknownCheckingProxy(withMarks(props)) as Record<string, unknown>;
}

/** As the wire has it: what is not known is a text of Pulumi's. */
function withMarks(value: unknown): unknown {
  if (value === UNKNOWN) return pulumi.runtime.unknownValue;
  if (Array.isArray(value)) return value.map(withMarks);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withMarks(inner)]));
}
