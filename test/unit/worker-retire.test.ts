import { describe, expect, it } from 'vitest';
import { retire, type TerminateAnswer } from '../../worker/instance/retire.ts';

const ACCEPTED: TerminateAnswer = { result: 'accepted' };
const failing = (result: 'at_minimum' | 'not_managed' | 'refused' | 'unknown'): TerminateAnswer => ({
  result,
  detail: `${result}.`,
});

/** Retires with these answers, the last of them for ever, each of which takes some time; gives the steps in order. */
async function stepsOf(
  decrement: boolean,
  answers: readonly TerminateAnswer[],
  { timeoutMs = 60_000, callMs = 100, shutsDown = true } = {},
): Promise<string[]> {
  const steps: string[] = [];
  let nowMs = 0;
  let calls = 0;
  const retiring = retire(
    { decrement, timeoutMs },
    {
      now: () => nowMs,
      sleep: async (ms) => void (nowMs += ms),
      random: () => 0.5,
      terminate: async (decrement) => {
        steps.push(decrement ? 'decrement' : 'terminate');
        nowMs += callMs;
        return answers[Math.min(calls++, answers.length - 1)] ?? ACCEPTED;
      },
      shutDown: async () => {
        steps.push('shut down');
        if (!shutsDown) throw new Error('There is no such command.');
      },
      onTermination: () => undefined,
      onLastResort: (why) => steps.push(`last resort: ${why}`),
    },
  );
  await retiring.catch((error: Error) => steps.push(error.message));
  expect(nowMs).toBeLessThanOrEqual(timeoutMs + callMs);
  return steps;
}

describe('an instance that retires', () => {
  it.each<[string, boolean, TerminateAnswer[], string[]]>([
    ['is terminated with decrement', true, [ACCEPTED], ['decrement']],
    ['is terminated without decrement where another shall take its place', false, [ACCEPTED], ['terminate']],
    [
      'is terminated without decrement at the minimum',
      true,
      [failing('at_minimum'), ACCEPTED],
      ['decrement', 'terminate'],
    ],
    [
      'asks for a decrement again when it was refused, as by throttling',
      true,
      [failing('refused'), failing('refused'), ACCEPTED],
      ['decrement', 'decrement', 'decrement'],
    ],
    [
      'never asks for a second decrement when the first may have been done',
      true,
      [failing('unknown'), failing('refused'), failing('unknown'), ACCEPTED],
      ['decrement', 'terminate', 'terminate', 'terminate'],
    ],
    [
      'is shut down when no group has it',
      true,
      [failing('unknown'), failing('not_managed')],
      ['decrement', 'terminate', 'last resort: not_managed.', 'shut down'],
    ],
  ])('%s', async (_name, decrement, answers, steps) => {
    expect(await stepsOf(decrement, answers)).toEqual(steps);
  });

  it.each(['refused', 'unknown', 'at_minimum'] as const)(
    'is shut down when the calls to end it fail for too long: %s',
    async (result) => {
      const steps = await stepsOf(true, [failing(result)], { timeoutMs: 2_000 });
      const calls = steps.length - 2;
      expect(calls).toBeGreaterThan(2);
      expect(steps.slice(calls)).toEqual([`last resort: ${result}.`, 'shut down']);
      expect(steps.filter((step) => step === 'decrement')).toHaveLength(result === 'refused' ? calls : 1);
    },
  );

  it('waits no longer than its timeout for a service that hangs', async () => {
    const steps = await stepsOf(true, [failing('unknown')], { timeoutMs: 1_000, callMs: 10_000 });
    expect(steps).toEqual(['decrement', 'last resort: unknown.', 'shut down']);
  });

  it('reports it when even the machine cannot be shut down', async () => {
    const steps = await stepsOf(true, [failing('not_managed')], { shutsDown: false });
    expect(steps.at(-1)).toBe('There is no such command.');
  });
});
