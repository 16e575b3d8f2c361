import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import callbackService from '@pulumi/pulumi/proto/callback_grpc_pb.js';
import callbacks from '@pulumi/pulumi/proto/callback_pb.js';
import engineService, { type IEngineServer } from '@pulumi/pulumi/proto/engine_grpc_pb.js';
import engine from '@pulumi/pulumi/proto/engine_pb.js';
import monitorService, { type IResourceMonitorServer } from '@pulumi/pulumi/proto/resource_grpc_pb.js';
import resources from '@pulumi/pulumi/proto/resource_pb.js';
import struct from 'google-protobuf/google/protobuf/struct_pb.js';
import type { TestScope } from '../support/run-setup.ts';

/**
 * What a program's process hears of Pulumi's engine, as far as it takes to run one by the SDK's own runner: each resource
 * is there as soon as it is registered, and the engine's last steps are a test's.
 */

const RUNNER = createRequire(import.meta.url).resolve('@pulumi/pulumi/cmd/run');
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

type MonitorCalls = Pick<
  IResourceMonitorServer,
  | 'supportsFeature'
  | 'registerResource'
  | 'registerResourceHook'
  | 'registerResourceOutputs'
  | 'signalAndWaitForShutdown'
>;
type EngineCalls = Pick<IEngineServer, 'log' | 'getRootResource' | 'setRootResource'>;

export interface ProgramOptions {
  /** Its file. */
  readonly program: string;
  readonly stack: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What the engine still does when the program is done, such as deletions; the program's process waits for it. */
  readonly lastSteps: (hooks: ProgramHooks) => Promise<void>;
}

/** What a resource was given the last time. */
export type PreviousInputs = Record<string, struct.JavaScriptValue>;

export interface ProgramHooks {
  /** Calls the hooks before the deletion of a resource, as it was; gives what they say against it. */
  readonly beforeDelete: (resource: string, inputs?: PreviousInputs) => Promise<string[]>;
}

export interface EndedProgram {
  readonly code: number | null;
  /** What it told the engine to show, all but what is for debugging. */
  readonly shown: readonly string[];
}

export async function runProgram(scope: TestScope, options: ProgramOptions): Promise<EndedProgram> {
  const state = { hooks: new Map<string, callbacks.Callback>(), bound: new Map<string, string[]>() };
  const shown: string[] = [];
  const server = new Server();
  scope.onTestFinished(() => Promise.resolve(server.forceShutdown()));
  server.addService(monitorService.ResourceMonitorService, monitorHandlers(state, options));
  server.addService(engineService.EngineService, engineHandlers(shown));
  const address = await listen(server);
  const args = ['--project=test', `--stack=${options.stack}`, '--parallel=4', '--dry-run=false'];
  const child = spawn(
    process.execPath,
    [RUNNER, `--monitor=${address}`, `--engine=${address}`, ...args, `--pwd=${REPOSITORY}`, options.program],
    {
      env: {
        PATH: process.env['PATH'],
        ...options.environment,
        PULUMI_CONFIG: '{}',
        PULUMI_NODEJS_TYPESCRIPT: 'false',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const closed = once(child, 'close');
  scope.onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const [code] = await closed;
  return { code: code as number | null, shown };
}

interface EngineState {
  /** By name. */
  readonly hooks: Map<string, callbacks.Callback>;
  /** The names of the hooks before a deletion, by resource. */
  readonly bound: Map<string, string[]>;
}

function monitorHandlers({ hooks, bound }: EngineState, { lastSteps }: ProgramOptions): MonitorCalls {
  const beforeDelete: ProgramHooks['beforeDelete'] = async (resource, inputs = {}) => {
    const called = (bound.get(resource) ?? []).map((name) => callHook(hooks.get(name), resource, inputs));
    return (await Promise.all(called)).filter((said) => said !== '');
  };
  return {
    // Without `getDeploymentInfo`, as engines before it, so that each feature is asked for.
    supportsFeature: (_, answer) => {
      const yes = new resources.SupportsFeatureResponse();
      yes.setHassupport(true);
      answer(null, yes);
    },
    registerResource: ({ request }, answer) => {
      bound.set(request.getName(), request.getHooks()?.getBeforeDeleteList() ?? []);
      const registered = new resources.RegisterResourceResponse();
      registered.setUrn(`urn:pulumi:test::test::${request.getType()}::${request.getName()}`);
      answer(null, registered);
    },
    registerResourceHook: ({ request }, answer) => {
      const callback = request.getCallback();
      if (callback !== undefined) hooks.set(request.getName(), callback);
      answer(null, EMPTY);
    },
    registerResourceOutputs: (_, answer) => answer(null, EMPTY),
    signalAndWaitForShutdown: (_, answer) => {
      void lastSteps({ beforeDelete }).finally(() => answer(null, EMPTY));
    },
  };
}

function engineHandlers(shown: string[]): EngineCalls {
  return {
    log: ({ request }, answer) => {
      if (request.getSeverity() !== engine.LogSeverity.DEBUG) shown.push(request.getMessage());
      answer(null, EMPTY);
    },
    getRootResource: (_, answer) => answer(null, new engine.GetRootResourceResponse()),
    setRootResource: (_, answer) => answer(null, new engine.SetRootResourceResponse()),
  };
}

/** The answer that holds nothing. */
const EMPTY = engineService.EngineService.log.responseDeserialize(Buffer.alloc(0));

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(`127.0.0.1:${port}`);
      else reject(error);
    });
  });
}

/** What it says against the deletion; empty: nothing. */
function callHook(
  callback: callbacks.Callback | undefined,
  resource: string,
  inputs: PreviousInputs,
): Promise<string> {
  if (callback === undefined) throw new Error(`A hook of ${resource} is not registered.`);
  const hooked = new resources.ResourceHookRequest();
  hooked.setName(resource);
  hooked.setOldInputs(struct.Struct.fromJavaScript(inputs));
  const request = new callbacks.CallbackInvokeRequest();
  request.setToken(callback.getToken());
  request.setRequest(hooked.serializeBinary());
  const client = new callbackService.CallbacksClient(callback.getTarget(), credentials.createInsecure());
  return new Promise<string>((resolve, reject) => {
    client.invoke(request, (error, answer) => {
      client.close();
      if (error !== null) return reject(error);
      resolve(resources.ResourceHookResponse.deserializeBinary(answer.getResponse_asU8()).getError());
    });
  });
}
