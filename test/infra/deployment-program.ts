import { excludeRuns } from '../../infra/exclusion/exclude-runs.ts';
import { FleetHeld, messageOf } from '../../orchestrator/errors.ts';
import { type DeploymentOptions, REQUEST_VARIABLE } from './deployment.ts';

/** What a stack's program does about runs, in a process of its own, and nothing else: it works as long as its input lasts. */
const options = JSON.parse(process.env[REQUEST_VARIABLE] ?? '') as DeploymentOptions;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
try {
  await excludeRuns({
    ...options,
    log: { info: (sentence) => say(`info: ${sentence}`), warn: (sentence) => say(`warn: ${sentence}`) },
  });
  say('goes on');
  for await (const _ of process.stdin);
  say('done');
} catch (error) {
  say(`${error instanceof FleetHeld ? 'refused' : 'failed'}: ${messageOf(error)}`);
  process.exitCode = 1;
}
