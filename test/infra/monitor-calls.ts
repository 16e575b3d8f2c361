import type { ResourceMonitor } from './resource-monitor.ts';

type Callback = (error: object | null, answer?: unknown) => void;
export type Call = (request: never) => Promise<unknown>;

/** What the SDK calls of an engine, by the calls' names. */
export function callsOf(monitor: ResourceMonitor): Readonly<Record<string, Call>> {
  return {
    getDeploymentInfo: () => monitor.getDeploymentInfo(),
    invoke: (request) => monitor.invoke(request),
    registerResource: (request) => monitor.registerResource(request),
    registerResourceOutputs: (request) => monitor.registerResourceOutputs(request),
    registerResourceHook: (request) => monitor.registerResourceHook(request),
    signalAndWaitForShutdown: () => monitor.signalAndWaitForShutdown(),
  };
}

/** A call as gRPC's own packages have it. */
export function withCallback(call: Call): (request: never, callback: Callback) => void {
  return (request, callback) => void answer(call(request), callback);
}

async function answer(call: Promise<unknown>, callback: Callback): Promise<void> {
  try {
    callback(null, await call);
  } catch (error) {
    callback({ code: UNKNOWN, message: String(error), details: String(error) });
  }
}

/** https://grpc.io/docs/guides/status-codes/ */
const UNKNOWN = 2;
