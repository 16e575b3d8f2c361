import { excludeRuns } from '../../infra/exclusion/exclude-runs.ts';
import { FleetHeld, messageOf } from '../../orchestrator/errors.ts';
import { type DeploymentOptions, REQUEST_VARIABLE } from './deployment.ts';

/** The part of a stack's program that excludes runs, in a process of its own. It works until its input ends. */
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
