import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { serveMonitor } from './monitor-server.ts';
import type { Provider } from './provider.ts';
import { ResourceMonitor } from './resource-monitor.ts';

export interface ProgramProcess {
  /** With Pulumi.yaml, the program, and the SDK that runs it. */
  readonly folder: string;
  readonly project: string;
  readonly stack: string;
  /** By whole key, all texts. */
  readonly configuration: Readonly<Record<string, string>>;
  readonly secretKeys: readonly string[];
  readonly preview: boolean;
  readonly provider: Provider;
  /** Of the process, beside what Pulumi sets. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Runs a program as Pulumi's language host does: by the SDK's own runner, from the program's folder, in a process of its own.
 * Returns what an engine's side has seen.
 *
 * @throws what the program said if it failed
 */
export async function runProcess(program: ProgramProcess): Promise<ResourceMonitor> {
  const { folder, project, stack, configuration, secretKeys, preview } = program;
  const monitor = new ResourceMonitor(program);
  const server = await serveMonitor(monitor);
  try {
    const runner = join(folder, 'node_modules', '@pulumi', 'pulumi', 'cmd', 'run', 'index.js');
    const flags = [
      `--monitor=${server.address}`,
      `--project=${project}`,
      `--stack=${stack}`,
      `--pwd=${folder}`,
    ];
    const child = spawn(process.execPath, [runner, ...flags, ...(preview ? ['--dry-run'] : []), '.'], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        ...program.environment,
        PULUMI_CONFIG: JSON.stringify(configuration),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = await once(child, 'close');
    if (code !== 0 || !monitor.isDone) throw new Error(`the program ended with ${String(code)}: ${said}`);
    return monitor;
  } finally {
    server.stop();
  }
}
