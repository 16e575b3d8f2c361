import type { Input } from '@pulumi/pulumi';
import { prepareFleet } from './prepare.ts';
import { configurationOfProgram } from './settings/stack-configuration.ts';
import { deployStack } from './stack.ts';

/** The program that `pulumi up` runs. */
export default function program(): Promise<Record<string, Input<unknown>>> {
  return deployStack(configurationOfProgram(), (settings) => prepareFleet(settings));
}
