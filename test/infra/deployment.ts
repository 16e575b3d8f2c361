import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExcludeRunsRequest } from '../../infra/exclusion/exclude-runs.ts';
import { eventually } from '../support/run-eventually.ts';
import { NODE_ENVIRONMENT } from '../support/node-environment.ts';
import type { TestScope } from '../support/run-setup.ts';

const PROGRAM = fileURLToPath(new URL('./deployment-program.ts', import.meta.url));
/** How the program is told what to exclude. */
export const REQUEST_VARIABLE = 'TEST_DEPLOYMENT';

export type DeploymentOptions = Omit<ExcludeRunsRequest, 'log' | 'clock'>;

/** A process that deploys, as far as runs are concerned. */
export interface Deployment {
  readonly child: ChildProcess;
  /** Resolves when it has said this. */
  said(text: string): Promise<void>;
  /** Its work is done; gives its exit code and all that it has said. */
  end(): Promise<{ readonly code: number | null; readonly words: string }>;
}

export function startDeployment(
  scope: TestScope,
  options: DeploymentOptions,
  environment: Readonly<Record<string, string>>,
): Deployment {
  const child = spawn(process.execPath, [PROGRAM], {
    env: { ...NODE_ENVIRONMENT, ...environment, [REQUEST_VARIABLE]: JSON.stringify(options) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let words = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (words += text));
  child.stdin.on('error', () => {}); // It may end first.
  const closed = once(child, 'close').then(([code]) => code as number | null);
  scope.onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  return {
    child,
    said: async (text) => {
      await eventually(`the deployment says "${text}"`, () => {
        if (words.includes(text)) return true;
        if (child.exitCode !== null) throw new Error(`It ended before it said "${text}": ${words}`);
        return false;
      });
    },
    end: async () => {
      child.stdin.end();
      return { code: await closed, words };
    },
  };
}
