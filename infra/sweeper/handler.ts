import type { SweptResult } from '../../orchestrator/report/swept-words.ts';
import { type LambdaContext, scheduledSweep } from './scheduled-sweep.ts';

/** The function that Lambda calls. A sweep needs nothing of the event. */
export function handler(_event: unknown, context: LambdaContext): Promise<SweptResult> {
  const write = (line: string): void => void process.stdout.write(line);
  return scheduledSweep({ environment: process.env, context, write });
}
