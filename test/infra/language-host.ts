import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type MonitorServer, serveMonitor } from './monitor-server.ts';
import { handedOn, PROJECT, secretKeys, type StackConfiguration } from './program-run.ts';
import { inventedProvider, type Provider } from './provider.ts';
import { ResourceMonitor } from './resource-monitor.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RUNNER = fileURLToPath(new URL('../../node_modules/@pulumi/pulumi/cmd/run/index.js', import.meta.url));

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
  readonly stack: string;
  readonly preview?: boolean;
  /** Of the program's process, beside what Pulumi sets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Asked for each resource before it is made. */
  readonly onRegistration?: () => Promise<void>;
}

/**
 * Runs what Pulumi.yaml names as Pulumi's language host does: with the SDK's own runner, in a process of its own, in the
 * folder that `main` names (https://github.com/pulumi/pulumi, `GetPwdMain` and pulumi-language-nodejs).
 */
export async function hostProgram(
  configuration: StackConfiguration,
  options: HostOptions,
): Promise<HostedRun> {
  const { stack, preview = false } = options;
  const provider: Provider = {
    ...inventedProvider,
    create: async (registration) => {
      await options.onRegistration?.();
      return inventedProvider.create(registration);
    },
  };
  const monitor = new ResourceMonitor({ project: PROJECT, stack, preview, provider });
  const server = await serveMonitor(monitor);
  try {
    const values = handedOn(configuration);
    const child = spawn(process.execPath, [RUNNER, ...flags(server.address, stack, preview), '.'], {
      cwd: ROOT,
      env: {
        PATH: process.env['PATH'],
        ...options.environment,
        PULUMI_CONFIG: JSON.stringify(values),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys(values)),
        PULUMI_NODEJS_TYPESCRIPT: String(typescript),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const [output, errors, [exitCode, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      closed,
    ]);
    return { monitor, said: server.said, exitCode, signal, output: output + errors };
  } finally {
    server.stop();
  }
}

const { main, runtime } = parse(readFileSync(`${ROOT}Pulumi.yaml`, 'utf8')) as {
  readonly main: string;
  readonly runtime: { readonly options: { readonly typescript: boolean } };
};
const { typescript } = runtime.options;

function flags(address: string, stack: string, preview: boolean): string[] {
  return [
    `--monitor=${address}`,
    `--engine=${address}`,
    `--project=${PROJECT}`,
    `--stack=${stack}`,
    `--root-directory=${ROOT}`,
    `--pwd=${ROOT}${main}`,
    '--parallel=16',
    ...(preview ? ['--dry-run'] : []),
  ];
}
