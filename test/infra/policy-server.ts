import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { AnalyzerClient } from '@pulumi/pulumi/proto/analyzer_grpc_pb.js';
import analyzer from '@pulumi/pulumi/proto/analyzer_pb.js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import struct from 'google-protobuf/google/protobuf/struct_pb.js';
import { NODE_ENVIRONMENT } from '../support/node-environment.ts';
import type { Shown } from './policy-run.ts';
import { toWire } from './property-values.ts';

/** The policy pack as an engine starts it: a process of the SDK's, asked by gRPC. */
export interface PolicyServer {
  info(): Promise<analyzer.AnalyzerInfo.AsObject>;
  /** Of each resource by itself. */
  analyze(resource: Shown): Promise<Diagnostic[]>;
  analyzeStack(resources: readonly Shown[]): Promise<Diagnostic[]>;
  stop(): Promise<void>;
}

type Diagnostic = analyzer.AnalyzeDiagnostic.AsObject;
type Call<Request, Answer> = (request: Request) => Promise<Answer>;

const PACK = fileURLToPath(new URL('../../infra/policies', import.meta.url));
const RUNNER = fileURLToPath(import.meta.resolve('@pulumi/pulumi/cmd/run-policy-pack/index.js'));
/** Nobody listens there: the pack asks the engine nothing. */
const ENGINE = '127.0.0.1:1';

/** @param pack the folder with PulumiPolicy.yaml */
export async function startPolicyServer(pack = PACK): Promise<PolicyServer> {
  // The folder as the place to be, and as the program: https://github.com/pulumi/pulumi, analyzer_plugin.go
  const child = spawn(process.execPath, [RUNNER, ENGINE, '.'], {
    cwd: pack,
    env: { ...process.env, ...NODE_ENVIRONMENT },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = once(child, 'close');
  const port = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([line]) => String(line)),
    ended.then(([code]) => Promise.reject(new Error(`the policy pack ended with ${code}: ${said}`))),
  ]);
  const client = new AnalyzerClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const getAnalyzerInfo: Call<empty.Empty, analyzer.AnalyzerInfo> = promisify(
    client.getAnalyzerInfo.bind(client),
  );
  const analyze: Call<analyzer.AnalyzeRequest, analyzer.AnalyzeResponse> = promisify(
    client.analyze.bind(client),
  );
  const analyzeStack: Call<analyzer.AnalyzeStackRequest, analyzer.AnalyzeResponse> = promisify(
    client.analyzeStack.bind(client),
  );
  return {
    info: async () => (await getAnalyzerInfo(new empty.Empty())).toObject(),
    analyze: async (resource) => diagnosticsOf(await analyze(requestOf(resource))),
    analyzeStack: async (resources) => {
      const request = new analyzer.AnalyzeStackRequest();
      request.setResourcesList(resources.map(analyzerResourceOf));
      return diagnosticsOf(await analyzeStack(request));
    },
    stop: async () => {
      client.close();
      child.kill();
      await ended;
    },
  };
}

function requestOf(resource: Shown): analyzer.AnalyzeRequest {
  return described(new analyzer.AnalyzeRequest(), resource);
}

function analyzerResourceOf(shown: Shown): analyzer.AnalyzerResource {
  const resource = described(new analyzer.AnalyzerResource(), shown);
  for (const [property, urns] of Object.entries(shown.dependencies)) {
    const dependencies = new analyzer.AnalyzerPropertyDependencies();
    dependencies.setUrnsList([...urns]);
    resource.getPropertydependenciesMap().set(property, dependencies);
  }
  return resource;
}

function described<Message extends analyzer.AnalyzeRequest | analyzer.AnalyzerResource>(
  message: Message,
  { type, name, urn, props }: Shown,
): Message {
  message.setType(type);
  message.setName(name);
  message.setUrn(urn);
  message.setOptions(new analyzer.AnalyzerResourceOptions());
  message.setProperties(
    struct.Struct.fromJavaScript(toWire(props) as Parameters<typeof struct.Struct.fromJavaScript>[0]),
  );
  return message;
}

function diagnosticsOf(response: analyzer.AnalyzeResponse): Diagnostic[] {
  return response.getDiagnosticsList().map((diagnostic) => diagnostic.toObject());
}
