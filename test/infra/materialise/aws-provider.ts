import type { Created, Provider } from '../provider.ts';
import type { Registration } from '../registration.ts';
import { without } from '../without.ts';
import { instanceProfile, policy, role, rolePolicy, rolePolicyAttachment } from './access.ts';
import { autoScalingGroup } from './auto-scaling-group.ts';
import { bucket, bucketParts } from './bucket.ts';
import type { AnyKind, Call } from './kind.ts';
import { launchTemplate } from './launch-template.ts';
import { lookups } from './lookups.ts';
import { parameter, randomPassword } from './parameters.ts';
import { egressRule, ingressRule, securityGroup } from './security-group.ts';
import { functionRetries, lambdaFunction, logGroup, schedule } from './sweeper.ts';
import { alarm, dashboard } from './watch.ts';

const KINDS: ReadonlyMap<string, AnyKind> = new Map(
  [
    alarm,
    autoScalingGroup,
    bucket,
    ...bucketParts,
    dashboard,
    egressRule,
    functionRetries,
    ingressRule,
    instanceProfile,
    lambdaFunction,
    launchTemplate,
    logGroup,
    parameter,
    policy,
    randomPassword,
    role,
    rolePolicy,
    rolePolicyAttachment,
    schedule,
    securityGroup,
  ].map((kind) => [kind.type, kind]),
);

/** A provider that makes resources by calls of AWS's API. It can delete what it made. */
export interface AwsProvider extends Provider {
  /**
   * To be asked after the run: the SDK leaves an answer that is a refusal to its own program runner.
   * @throws what the first resource that could not be made failed with; nothing was made after it
   */
  requireMade(): void;
  /** Deletes in reverse order, as `pulumi destroy` does. */
  destroy(): Promise<void>;
}

export function awsProvider(call: Call): AwsProvider {
  return new CallingProvider(call);
}

class CallingProvider implements AwsProvider {
  readonly #call: Call;
  readonly #undo: (() => Promise<void>)[] = [];
  #failure: Error | null = null;

  constructor(call: Call) {
    this.#call = call;
  }

  async create(registration: Registration): Promise<Created> {
    if (this.#failure !== null) return NOTHING;
    try {
      return await this.#make(registration);
    } catch (error) {
      this.#failure ??= new Error(`${registration.name}: ${(error as Error).message}`, { cause: error });
      return NOTHING;
    }
  }

  async invoke(token: string, args: Registration['inputs']): Promise<Registration['inputs']> {
    const lookup = lookups[token];
    if (lookup === undefined) throw new Error(`nobody answers ${token} here`);
    return lookup(args, this.#call);
  }

  requireMade(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  async destroy(): Promise<void> {
    for (const step of this.#undo.splice(0).reverse()) await step();
  }

  async #make({ type, inputs }: Registration): Promise<Created> {
    const kind = KINDS.get(type);
    if (kind === undefined) throw new Error(`nobody makes a ${type} here`);
    const { id, outputs = {} } = await kind.make(without(inputs, ...untoldOf(type)), this.#call);
    this.#undo.push(() => kind.remove(inputs, this.#call, id));
    return { id, outputs };
  }
}

const NOTHING: Created = { id: '', outputs: {} };

/** Properties of which no call tells AWS, each with its reason at the kind. */
export function untoldOf(type: string): ReadonlySet<string> {
  return new Set(Object.keys(KINDS.get(type)?.untold ?? {}));
}
