import { readFileSync } from 'node:fs';
import * as pulumi from '@pulumi/pulumi';
import { parse } from 'yaml';
import { stackProgram } from './stack-program.ts';
import { inventedProvider, type Provider } from './provider.ts';
import type { Registration } from './registration.ts';
import { ResourceMonitor, type ResourceState, STACK_TYPE } from './resource-monitor.ts';

/**
 * A stack's configuration as its file has it. A key without a namespace is the project's: `image`. Texts are handed on as
 * they are, maps and lists as JSON, which is what Pulumi does.
 */
export type StackConfiguration = Readonly<Record<string, string | object>>;

export interface RunOptions {
  /** By default `production`. */
  readonly stack?: string;
  /** As `pulumi preview` runs a program: outputs are not known. */
  readonly preview?: boolean;
  /** Makes the resources; by default they are invented. */
  readonly provider?: Provider;
  /** By default the stack's own, infra/stack.ts. Returns the stack's outputs. */
  readonly program?: () => Promise<object>;
}

/** What an engine sees of one run of a program. */
export interface ProgramRun {
  /** In the order in which they came; the stack itself is the first. */
  readonly registrations: readonly Registration[];
  /** What each resource has, by URN. */
  readonly states: ReadonlyMap<string, ResourceState>;
  /** The stack's. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** The same as `pulumi stack output` shows them: `[secret]` in the place of secrets. */
  readonly shownOutputs: Readonly<Record<string, unknown>>;
  /** Outputs of components by URN, as a person sees them. */
  readonly shownComponentOutputs: ReadonlyMap<string, unknown>;
  /** Names of resources that were made only after the program had returned: inside `apply`, `then` or another callback. */
  readonly late: readonly string[];
}

/** As in Pulumi.yaml. */
export const PROJECT = (
  parse(readFileSync(new URL('../../Pulumi.yaml', import.meta.url), 'utf8')) as { name: string }
).name;

/** Given with `pulumi config set --secret`. */
const SECRETS = ['source_password', 'target_password', 'target_api_key'];

let turn: Promise<unknown> = Promise.resolve();

/**
 * Runs a stack's program in this process, against an engine's side that makes nothing by itself. The SDK's state is the
 * process's, so runs come one after the other.
 *
 * @throws what the program throws; nothing it registered before is kept
 */
export function runProgram(configuration: StackConfiguration, options: RunOptions = {}): Promise<ProgramRun> {
  const run = turn.then(() => runAlone(configuration, options));
  turn = run.catch(() => {});
  return run;
}

/** As the CLI hands it to a program: by whole key, all texts. */
export function handedOn(configuration: StackConfiguration): Record<string, string> {
  return Object.fromEntries(
    Object.entries(configuration).map(([key, value]) => [
      key.includes(':') ? key : `${PROJECT}:${key}`,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}

/** Of its keys those that were given as secrets. */
export function secretKeys(values: Readonly<Record<string, string>>): string[] {
  return SECRETS.map((name) => `${PROJECT}:${name}`).filter((key) => Object.hasOwn(values, key));
}

async function runAlone(
  configuration: StackConfiguration,
  {
    stack: stackName = 'production',
    preview = false,
    provider = inventedProvider,
    program = stackProgram,
  }: RunOptions,
): Promise<ProgramRun> {
  const monitor = new ResourceMonitor({ project: PROJECT, stack: stackName, preview, provider });
  const values = handedOn(configuration);
  pulumi.runtime.setAllConfig(values, secretKeys(values));
  // What `setMocks` does with a monitor of its own, which neither shows options and secrets nor previews.
  pulumi.runtime.setMockOptions(withCallbacks(monitor), PROJECT, stackName, preview);
  const made: string[] = [];
  let madeInTime = 0;
  const result = await settled(async (fail) => {
    await pulumi.runtime.runInPulumiStack(async () => {
      pulumi.runtime.registerStackTransformation(({ name }) => void made.push(name));
      try {
        return await program();
      } catch (error) {
        fail(error);
        return {};
      } finally {
        madeInTime = made.length;
      }
    });
    await pulumi.runtime.disconnect();
  });
  if (result !== null) throw result.error;
  return resultOf(monitor, made.slice(madeInTime));
}

/** Pulumi leaves a failed program's rejections to its runner's handlers, so they do not get that far. */
async function settled(
  work: (fail: (error: unknown) => void) => Promise<void>,
): Promise<{ readonly error: unknown } | null> {
  const failures: { readonly error: unknown }[] = [];
  await work((error) => failures.push({ error }));
  return failures[0] ?? null;
}

function resultOf(monitor: ResourceMonitor, late: readonly string[]): ProgramRun {
  const urn = monitor.registrations.find(({ type }) => type === STACK_TYPE)?.urn ?? '';
  const outputsIn = (all: ReadonlyMap<string, unknown>) => (all.get(urn) ?? {}) as Record<string, unknown>;
  return {
    registrations: monitor.registrations,
    states: monitor.states,
    outputs: outputsIn(monitor.outputs),
    shownOutputs: outputsIn(monitor.shownOutputs),
    shownComponentOutputs: monitor.shownOutputs,
    late,
  };
}

type Callback = (error: object | null, answer?: unknown) => void;
type Call = (request: never) => Promise<unknown>;

/** The monitor as the SDK calls it without a network. */
function withCallbacks(monitor: ResourceMonitor): object {
  const calls: Record<string, Call> = {
    getDeploymentInfo: () => monitor.getDeploymentInfo(),
    invoke: (request) => monitor.invoke(request),
    registerResource: (request) => monitor.registerResource(request),
    registerResourceOutputs: (request) => monitor.registerResourceOutputs(request),
    registerResourceHook: (request) => monitor.registerResourceHook(request),
  };
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      (request: never, callback: Callback) => void answer(call(request), callback),
    ]),
  );
}

async function answer(call: Promise<unknown>, callback: Callback): Promise<void> {
  try {
    callback(null, await call);
  } catch (error) {
    callback({ code: 2, message: String(error), details: String(error) });
  }
}
