import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Dependency } from '../../worker/contract.ts';
import { type Probe, Readiness } from '../../worker/readiness.ts';

const answers: Probe = () => Promise.resolve();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function readinessOf(probes: Partial<Record<Dependency, Probe>>) {
  const told: (readonly [Dependency, string | null])[] = [];
  const readiness = new Readiness({
    probes: { database: answers, cluster: answers, ...probes },
    now: () => performance.now(),
    onChange: (dependency, fault) => told.push([dependency, fault]),
  });
  return { readiness, told };
}

describe('the readiness of a worker', () => {
  it('probes a dependency once in three seconds, however many ask', async () => {
    const database = vi.fn<Probe>(answers);
    const { readiness } = readinessOf({ database });
    await Promise.all(Array.from({ length: 1_000 }, () => readiness.unreachable()));
    await vi.advanceTimersByTimeAsync(2_900);
    expect(await readiness.unreachable()).toEqual([]);
    expect(database).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(200);
    database.mockRejectedValue(new Error('gone'));
    expect(await readiness.unreachable()).toEqual(['database']);
  });

  it('reports a dependency that does not answer within two seconds, and aborts the probe', async () => {
    let given: AbortSignal | undefined;
    const silent: Probe = (signal) => ((given = signal), new Promise(() => undefined));
    const { readiness, told } = readinessOf({ cluster: silent });
    const unreachable = readiness.unreachable();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await unreachable).toEqual(['cluster']);
    expect(given?.aborted).toBe(true);
    expect(told).toEqual([['cluster', 'no answer within 2000 ms']]);
  });

  it('logs the words of the probe once for each change, even when several addresses were tried', async () => {
    const refused = new AggregateError([new Error('refused at ::1'), new Error('refused at 127.0.0.1')], '');
    const database = vi.fn<Probe>(answers);
    const { readiness, told } = readinessOf({ database });
    const ask = async (): Promise<unknown> => {
      await vi.advanceTimersByTimeAsync(3_000);
      return readiness.unreachable();
    };
    await ask();
    expect(told).toEqual([]);
    database.mockRejectedValue(refused);
    await ask();
    await ask();
    database.mockRejectedValue(new Error('no such role'));
    await ask();
    database.mockResolvedValue(undefined);
    await ask();
    await ask();
    expect(told).toEqual([
      ['database', 'refused at ::1; refused at 127.0.0.1'],
      ['database', 'no such role'],
      ['database', null],
    ]);
  });
});
