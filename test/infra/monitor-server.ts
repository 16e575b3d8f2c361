import { promisify } from 'node:util';
import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import engineCalls from '@pulumi/pulumi/proto/engine_grpc_pb.js';
import engine, { type LogRequest } from '@pulumi/pulumi/proto/engine_pb.js';
import monitorCalls from '@pulumi/pulumi/proto/resource_grpc_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import type { ResourceMonitor } from './resource-monitor.ts';
import { type Call, callsOf, withCallback } from './monitor-calls.ts';

/** What a program says to a person. */
export interface Said {
  readonly severity: 'debug' | 'info' | 'warning' | 'error';
  readonly message: string;
}

/** An engine as a program in another process reaches it. */
export interface MonitorServer {
  /** `127.0.0.1:port`, of resources and of the engine. */
  readonly address: string;
  /** In order, without debugging. */
  readonly said: readonly Said[];
  stop(): void;
}

const SEVERITIES: readonly Said['severity'][] = ['debug', 'info', 'warning', 'error'];

/** Serves the calls that Pulumi's SDK makes of an engine. */
export async function serveMonitor(monitor: ResourceMonitor): Promise<MonitorServer> {
  const said: Said[] = [];
  const server = new Server();
  server.addService(monitorCalls.ResourceMonitorService, served(callsOf(monitor)));
  server.addService(
    engineCalls.EngineService,
    served({
      async log(request: LogRequest) {
        const severity = SEVERITIES[request.getSeverity()] ?? 'error';
        if (severity !== 'debug') said.push({ severity, message: request.getMessage() });
        return new empty.Empty();
      },
      setRootResource: async () => new engine.SetRootResourceResponse(),
    }),
  );
  const bind = promisify(server.bindAsync.bind(server));
  const port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
  return { address: `127.0.0.1:${port}`, said, stop: () => server.forceShutdown() };
}

function served(calls: Readonly<Record<string, Call>>): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      name,
      ({ request }: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) =>
        withCallback(call)(request as never, callback),
    ]),
  );
}
