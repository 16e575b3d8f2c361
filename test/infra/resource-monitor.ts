import type { Callback } from '@pulumi/pulumi/proto/callback_pb.js';
import resource, {
  type RegisterResourceOutputsRequest,
  type RegisterResourceHookRequest,
  type RegisterResourceRequest,
  type ResourceInvokeRequest,
} from '@pulumi/pulumi/proto/resource_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import struct from 'google-protobuf/google/protobuf/struct_pb.js';
import { fromWire, isMap, mapValues, masked, revealed, Secret, toWire } from './property-values.ts';
import type { Provider } from './provider.ts';
import { type Registration, registrationOf } from './registration.ts';

export interface MonitorOptions {
  readonly project: string;
  readonly stack: string;
  /** Nothing is made: what a provider would have to make is not known. */
  readonly preview: boolean;
  readonly provider: Provider;
  /** Work of the engine after the program is done, such as deletions. The program's process waits for it. */
  readonly lastSteps?: (monitor: ResourceMonitor) => Promise<void>;
}

/** What a resource has once it is there. */
export interface ResourceState {
  readonly id: string;
  /** With secrets as `[secret]`. */
  readonly shown: Readonly<Record<string, unknown>>;
}

/**
 * The engine's side of a program's run, as far as a program can tell: it takes registrations and answers with what a
 * provider makes of them. It keeps no state between runs, and deletes nothing.
 */
export class ResourceMonitor {
  /** In the order in which they came. */
  readonly registrations: Registration[] = [];
  readonly states = new Map<string, ResourceState>();
  /** Outputs of components and of the stack by URN; secrets as `[secret]`. */
  readonly shownOutputs = new Map<string, unknown>();
  /** The same with secrets. */
  readonly outputs = new Map<string, unknown>();
  /** Where a program listens for its hooks, by their names. */
  readonly hooks = new Map<string, Callback | undefined>();
  /** The program has said that it is done. */
  isDone = false;
  readonly #options: MonitorOptions;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  async getDeploymentInfo() {
    const answer = new resource.DeploymentInfo();
    answer.setSupportedfeaturesList(
      Object.values(resource.ResourceMonitorFeature).filter((feature) => typeof feature === 'number'),
    );
    return answer;
  }

  async invoke(request: ResourceInvokeRequest) {
    const args = fromWire(request.getArgs()?.toJavaScript() ?? {});
    const value = await this.#options.provider.invoke(request.getTok(), mapOf(revealed(args)));
    const answer = new resource.ResourceInvokeResponse();
    answer.setReturn(structOf(value));
    return answer;
  }

  async registerResource(request: RegisterResourceRequest) {
    const registration = registrationOf(request, this.#urnOf(request));
    if (this.registrations.some(({ urn }) => urn === registration.urn))
      throw new Error(`Duplicate resource URN '${registration.urn}'`);
    this.registrations.push(registration);
    const { id, state } = await this.#make(request, registration);
    this.states.set(registration.urn, { id, shown: mapOf(masked(state)) });
    const answer = new resource.RegisterResourceResponse();
    answer.setUrn(registration.urn);
    answer.setId(id);
    answer.setObject(structOf(state));
    return answer;
  }

  async registerResourceOutputs(request: RegisterResourceOutputsRequest) {
    const outputs = fromWire(request.getOutputs()?.toJavaScript() ?? {});
    this.outputs.set(request.getUrn(), revealed(outputs));
    this.shownOutputs.set(request.getUrn(), masked(outputs));
    return new empty.Empty();
  }

  async registerResourceHook(request: RegisterResourceHookRequest) {
    this.hooks.set(request.getName(), request.getCallback());
    return new empty.Empty();
  }

  async signalAndWaitForShutdown() {
    this.isDone = true;
    await this.#options.lastSteps?.(this);
    return new empty.Empty();
  }

  /** Of the parents' types all but the stack's stand before the own. */
  #urnOf(request: RegisterResourceRequest): string {
    const { stack, project } = this.#options;
    const [, , parentType = ''] = request.getParent().split('::');
    const types = parentType === '' || parentType === STACK_TYPE ? [] : [parentType];
    return ['urn:pulumi:' + stack, project, [...types, request.getType()].join('$'), request.getName()].join(
      '::',
    );
  }

  async #make(request: RegisterResourceRequest, registration: Registration) {
    const inputs = mapOf(fromWire(request.getObject()?.toJavaScript() ?? {}));
    if (!registration.custom || this.#options.preview) return { id: '', state: inputs };
    const { id, outputs } = await this.#options.provider.create(registration);
    const secrets = new Set(registration.options.additionalSecretOutputs);
    const state = Object.fromEntries(
      Object.entries({ ...inputs, ...outputs }).map(([key, value]) => [
        key,
        secrets.has(key) && !(value instanceof Secret) ? new Secret(value) : value,
      ]),
    );
    return { id, state };
  }
}

export const STACK_TYPE = 'pulumi:pulumi:Stack';

function structOf(values: Readonly<Record<string, unknown>>) {
  return struct.Struct.fromJavaScript(
    mapValues(values, toWire) as Parameters<typeof struct.Struct.fromJavaScript>[0],
  );
}

function mapOf(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {};
}
