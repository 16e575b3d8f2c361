import type { TestScope } from '../support/run-setup.ts';
import { openAwsCalls } from './aws-calls.ts';
import { awsProvider } from './materialise/aws-provider.ts';
import { type ProgramRun, runProgram, type StackConfiguration } from './program-run.ts';

/** A stack whose every resource was made by calls of AWS's API. */
export interface MadeStack extends ProgramRun {
  /** Deletes everything in reverse order. The end of the test does so if nobody did before. */
  destroy(): Promise<void>;
}

/** @throws what the first resource that could not be made failed with, after what was made before is gone again */
export async function makeStack(
  scope: TestScope,
  awsUrl: string,
  configuration: StackConfiguration,
): Promise<MadeStack> {
  const calls = await openAwsCalls(scope);
  const provider = awsProvider((service, operation, parameters) =>
    calls.call({ service, operation, parameters }, awsUrl),
  );
  const destroy = (): Promise<void> => provider.destroy();
  scope.onTestFinished(destroy);
  const run = await runProgram(configuration, { provider });
  provider.requireMade();
  return { ...run, destroy };
}
