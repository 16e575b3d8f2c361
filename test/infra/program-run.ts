import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import * as pulumi from '@pulumi/pulumi';
import { parse } from 'yaml';
import { readPlace } from '../../infra/place.ts';
import { configurationOfProgram } from '../../infra/settings/stack-configuration.ts';
import { deployStack } from '../../infra/stack.ts';
import { callsOf, withCallback } from './monitor-calls.ts';
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
  /** By default the stack's own, but that the sweeper's program is a word and no run is looked for. Returns the stack's outputs. */
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
  /** Names of resources that were not made in one go with the first one: inside `apply`, `then` or another callback. */
  readonly late: readonly string[];
}

/** As in Pulumi.yaml. */
const PROJECT = (
  parse(readFileSync(new URL('../../Pulumi.yaml', import.meta.url), 'utf8')) as { name: string }
).name;

/** Given with `pulumi config set --secret`. */
const SECRETS = ['source_password', 'target_password', 'target_api_key'];

/** In the place of the bundle, which takes a while to make. */
export const SWEEPER_CODE = 'export const handler = () => {};';

let turn: Promise<unknown> = Promise.resolve();

/** @throws what the program throws; otherwise as `tryProgram` */
export async function runProgram(
  configuration: StackConfiguration,
  options: RunOptions = {},
): Promise<ProgramRun> {
  const { error, run } = await tryProgram(configuration, options);
  if (error !== null) throw error.reason;
  return run;
}

/** A run that may have failed. It has what the program threw, and what it had registered by then. */
export interface Try {
  readonly error: { readonly reason: unknown } | null;
  readonly run: ProgramRun;
}

/**
 * Runs a stack's program in this process, against an engine's side that makes nothing by itself. The SDK's state is the
 * process's, so runs come one after the other.
 */
export function tryProgram(configuration: StackConfiguration, options: RunOptions = {}): Promise<Try> {
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

function stackProgram(): Promise<object> {
  return deployStack(configurationOfProgram(), async () => ({
    place: await readPlace(),
    sweeperCode: new pulumi.asset.StringAsset(SWEEPER_CODE),
    launched: { rootDevice: '/dev/xvda' },
    exclusion: { ensure: async () => {}, release: async () => {} },
  }));
}

async function runAlone(
  configuration: StackConfiguration,
  {
    stack: stackName = 'production',
    preview = false,
    provider = inventedProvider,
    program = stackProgram,
  }: RunOptions,
): Promise<Try> {
  const monitor = new ResourceMonitor({ project: PROJECT, stack: stackName, preview, provider });
  const values = handedOn(configuration);
  pulumi.runtime.setAllConfig(values, secretKeys(values));
  // What `setMocks` does with a monitor of its own, which neither shows options and secrets nor previews.
  pulumi.runtime.setMockOptions(inProcess(monitor), PROJECT, stackName, preview);
  const { error, late } = await withoutStacks(() => runToItsEnd(program));
  return { error, run: resultOf(monitor, late) };
}

interface End {
  /** What the program threw. Pulumi leaves rejections to its runner's handlers, so it does not get that far here. */
  readonly error: Try['error'];
  readonly late: readonly string[];
}

async function runToItsEnd(program: () => Promise<object>): Promise<End> {
  const made: string[] = [];
  let inOneGo = 0;
  let error: End['error'] = null;
  await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ name }) => {
      // Runs before every callback that comes of what is made in this go.
      if (made.length === 0) queueMicrotask(() => (inOneGo = made.length));
      made.push(name);
      return undefined;
    });
    try {
      return await program();
    } catch (reason) {
      error = { reason };
      return {};
    }
  });
  await setImmediate();
  await pulumi.runtime.disconnect();
  return { error, late: made.slice(inOneGo) };
}

/** The SDK takes a stack for each of its thousands of promises: half of the time of a run. */
async function withoutStacks<T>(work: () => Promise<T>): Promise<T> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
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

/** The monitor as the SDK calls it without a network. */
function inProcess(monitor: ResourceMonitor): object {
  return Object.fromEntries(
    Object.entries(callsOf(monitor)).map(([name, call]) => [name, withCallback(call)]),
  );
}
