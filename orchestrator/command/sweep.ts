import { type SweptResult, sweptLines, sweptResult } from '../report/swept-words.ts';
import { type Swept, sweep, type SweepRequest, sweepRules } from '../run/sweep.ts';
import type { CommandResult, FleetContext } from './command.ts';
import { lockRequest } from './lock-request.ts';

/** Brings a fleet that no live run uses to zero, deletes old records from the journal, and says what it found. */
export async function sweepCommand(context: FleetContext): Promise<CommandResult> {
  const { workers, offline } = context;
  const lock = await lockRequest(context, 'sweep');
  const { result } = await sweepAndSay({
    settings: offline.settings,
    lock,
    openFleet: (pin) => workers.openFleet(pin),
  });
  return { ...result };
}

export interface SaidSweep {
  readonly swept: Swept;
  readonly result: SweptResult;
}

/** Sweeps by the settings, and writes a line for each thing that it found and did. */
export async function sweepAndSay({
  settings,
  lock,
  openFleet,
}: Pick<SweepRequest, 'lock' | 'openFleet'> & Pick<FleetContext['offline'], 'settings'>): Promise<SaidSweep> {
  const swept = await sweep({ lock, openFleet, ...sweepRules(settings) });
  const { store, clock, reporter } = lock;
  const result = sweptResult(swept, { fleet: settings.fleet, journal: store.location, now: clock.now() });
  for (const line of sweptLines(result)) reporter.note(line);
  return { swept, result };
}
