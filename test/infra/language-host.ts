import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type MonitorServer, serveMonitor } from './monitor-server.ts';
import { NODE_ENVIRONMENT } from '../support/node-environment.ts';
import { handedOn, secretKeys, type StackConfiguration } from './program-run.ts';
import { inventedProvider, type Provider } from './provider.ts';
import { ResourceMonitor } from './resource-monitor.ts';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const RUNNER = 'node_modules/@pulumi/pulumi/cmd/run/index.js';

/** How a program ended, and what an engine saw of it. */
export interface HostedRun {
  readonly monitor: ResourceMonitor;
  readonly said: MonitorServer['said'];
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it wrote by itself, past the engine. */
  readonly output: string;
}

export interface HostOptions {
  /** With Pulumi.yaml, the program, and the SDK that runs it; by default the repository. */
  readonly folder?: string;
  /** Its file; by default what Pulumi.yaml names. */
  readonly program?: string;
  readonly stack: string;
  readonly preview?: boolean;
  /** Of the program's process, beside what Pulumi sets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Makes the resources; by default they are invented. */
  readonly provider?: Provider;
  /** Asked for each resource before it is made. */
  readonly onRegistration?: () => Promise<void>;
  /** See `MonitorOptions`. The engine goes on with them when the program has ended before. */
  readonly lastSteps?: (monitor: ResourceMonitor, program: HostedProgram) => Promise<void>;
}

export interface HostedProgram {
  /** Resolves when the signal has ended it. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/**
 * Runs what Pulumi.yaml names as Pulumi's language host does: with the SDK's own runner, in a process of its own, in the
 * folder that `main` names (https://github.com/pulumi/pulumi, `GetPwdMain` and pulumi-language-nodejs).
 */
export async function hostProgram(
  configuration: StackConfiguration,
  options: HostOptions,
): Promise<HostedRun> {
  const {
    folder = REPOSITORY,
    program = '.',
    stack,
    preview = false,
    provider: made = inventedProvider,
  } = options;
  const { lastSteps } = options;
  const project = readProject(folder);
  const provider: Provider = {
    ...made,
    create: async (registration) => {
      await options.onRegistration?.();
      return made.create(registration);
    },
  };
  const running = Promise.withResolvers<HostedProgram>();
  let steps: Promise<void> = Promise.resolve();
  const monitor = new ResourceMonitor({
    project: project.name,
    stack,
    preview,
    provider,
    ...(lastSteps && {
      lastSteps: (engine) => (steps = running.promise.then((hosted) => lastSteps(engine, hosted))),
    }),
  });
  const server = await serveMonitor(monitor);
  try {
    const values = handedOn(configuration);
    const flags = [
      `--monitor=${server.address}`,
      `--engine=${server.address}`,
      `--project=${project.name}`,
      `--stack=${stack}`,
      `--root-directory=${folder}`,
      `--pwd=${join(folder, project.main ?? '')}`,
      '--parallel=16',
      ...(preview ? ['--dry-run'] : []),
    ];
    const child = spawn(process.execPath, [join(folder, RUNNER), ...flags, program], {
      cwd: folder,
      env: {
        ...NODE_ENVIRONMENT,
        ...options.environment,
        PULUMI_CONFIG: JSON.stringify(values),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys(values)),
        PULUMI_NODEJS_TYPESCRIPT: String(project.runtime.options.typescript),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    running.resolve({
      end: async (signal) => {
        child.kill(signal);
        await closed;
      },
    });
    const [output, errors, [exitCode, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      closed,
    ]);
    await steps;
    return { monitor, said: server.said, exitCode, signal, output: output + errors };
  } finally {
    server.stop();
  }
}

interface Project {
  readonly name: string;
  readonly main?: string;
  readonly runtime: { readonly options: { readonly typescript: boolean } };
}

function readProject(folder: string): Project {
  return parse(readFileSync(join(folder, 'Pulumi.yaml'), 'utf8')) as Project;
}
