import type { Input } from '@pulumi/pulumi';
import { readPlace } from '../../infra/place.ts';
import type { Prepared } from '../../infra/prepare.ts';
import { configurationOfProgram } from '../../infra/settings/stack-configuration.ts';
import { deployStack } from '../../infra/stack.ts';
import { bundleSweeper } from '../../infra/sweeper/bundle.ts';

let sweeperCode: Promise<string> | null = null;

/** What a deployment finds out beforehand, where no run is near; the sweeper's program is made once. */
export async function prepareAlone(): Promise<Prepared> {
  sweeperCode ??= bundleSweeper();
  return {
    place: await readPlace(),
    sweeperCode: await sweeperCode,
    exclusion: { ensure: () => Promise.resolve() },
  };
}

/** The stack's program, but that it looks after no runs, which take an AWS API. */
export function stackProgram(): Promise<Record<string, Input<unknown>>> {
  return deployStack(configurationOfProgram(), prepareAlone);
}
