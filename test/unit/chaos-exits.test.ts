import { describe, expect, it } from 'vitest';
import { type Circumstances, type EndedGivenCommand, faultOfExit } from '../chaos/exits.ts';

/** On a clock that says 0 long before any of it. */
const BEGAN_MS = 100_000;
const ENDED_MS = 110_000;
const QUIET: Circumstances = { commands: [], troubles: [], tableChanges: false };

function command(code: number | null, change: Partial<EndedGivenCommand> = {}): EndedGivenCommand {
  const outcome = { code, result: { error: 'words' } };
  return { number: 1, beganMs: BEGAN_MS, endedMs: ENDED_MS, killed: false, outcome, ...change };
}

describe('the check of exit codes in a chaos round', () => {
  it('accepts 0, and accepts an end by a signal only if this round killed the command', () => {
    expect(faultOfExit(command(0), QUIET)).toBeNull();
    expect(faultOfExit(command(null, { killed: true }), QUIET)).toBeNull();
    expect(faultOfExit(command(null), QUIET)).toMatch(/not by this round/);
  });

  it('accepts 1 while a service is in trouble and shortly afterwards', () => {
    const during = { ...QUIET, troubles: [{ fromMs: 0, toMs: Number.POSITIVE_INFINITY }] };
    const shortlyBefore = { ...QUIET, troubles: [{ fromMs: 0, toMs: BEGAN_MS - 10_000 }] };
    const longBefore = { ...QUIET, troubles: [{ fromMs: 0, toMs: BEGAN_MS - 60_000 }] };
    const later = { ...QUIET, troubles: [{ fromMs: ENDED_MS + 1, toMs: Number.POSITIVE_INFINITY }] };
    expect(faultOfExit(command(1), during)).toBeNull();
    expect(faultOfExit(command(1), shortlyBefore)).toBeNull();
    for (const circumstances of [QUIET, longBefore, later])
      expect(faultOfExit(command(1), circumstances)).toMatch(/exits 1 \(words\).*nothing had happened/);
  });

  it('accepts 1 with the words of validation only while the table changes', () => {
    const outcome = { code: 1, result: { error: 'x does not hold what y holds' } };
    expect(faultOfExit(command(1, { outcome }), { ...QUIET, tableChanges: true })).toBeNull();
    expect(faultOfExit(command(1), { ...QUIET, tableChanges: true })).toMatch(/exits 1/);
  });

  it('accepts 3 from a lone command only if it says that it was paused for longer than its lease', () => {
    const outcome = {
      code: 3,
      result: { error: 'this process stood still for longer than its lease of 2 s' },
    };
    expect(faultOfExit(command(3, { outcome }), QUIET)).toBeNull();
    expect(faultOfExit(command(1, { outcome: { ...outcome, code: 1 } }), QUIET)).toMatch(/exits 1/);
  });

  it('accepts 3, and no other failure, from a command that ran beside another command', () => {
    const beside = { number: 2, beganMs: BEGAN_MS - 1, endedMs: BEGAN_MS + 1 };
    const before = { number: 2, beganMs: 0, endedMs: BEGAN_MS - 1 };
    expect(faultOfExit(command(3), { ...QUIET, commands: [beside] })).toBeNull();
    expect(faultOfExit(command(3), { ...QUIET, commands: [before] })).toMatch(/no other command/);
    expect(faultOfExit(command(2), { ...QUIET, commands: [beside] })).toMatch(
      /nothing in this round explains/,
    );
  });
});
