import { beforeEach, describe, expect, it } from 'vitest';
import { FleetHeld, RunFailed } from '../../orchestrator/errors.ts';
import { runFolder, writeClaim } from '../../orchestrator/journal/claims.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import { OutdatedRun } from '../../orchestrator/run/outdated-run.ts';
import { chooseRun, unfinishedClaim } from '../../orchestrator/run/choose-run.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { claimedAliases, runResult } from '../support/run-values.ts';

const NOW = new Date('2026-03-04T05:06:07.890Z');
let store: MemoryStore;

beforeEach(() => {
  store = new MemoryStore();
});

describe('the choice of the run for a command', () => {
  it('is a new run named by the time when no run holds the fleet', async () => {
    const chosen = await choose(null);
    expect(chosen).toMatchObject({ kind: 'new', runKey: NOW.toISOString() });
    expect(chosen.kind === 'new' && chosen.run).toMatch(/^20260304050607-[0-9a-f]{4}$/);
  });

  it('is the unfinished run when the definition is the same', async () => {
    await claim('monday');
    expect(await choose(null)).toMatchObject({ kind: 'unfinished', claim: { runKey: 'monday' } });
    expect(await choose('monday')).toMatchObject({ kind: 'unfinished' });
  });

  it('is refused when another key holds the fleet, and the refusal names that key and its start', async () => {
    await claim('monday');
    await expect(choose('tuesday')).rejects.toThrow(FleetHeld);
    await expect(choose('tuesday')).rejects.toThrow(/key monday .* since 2026-01-01T00:00:00.000Z/);
  });

  it('is refused without a key when the unfinished run has another definition, and says what to do', async () => {
    await claim('monday', { digest: 'other' });
    await expect(choose(null)).rejects.toThrow(/abandon/);
    await expect(choose('monday')).rejects.toThrow(RunFailed);
  });

  it('is the finished run of the given key, even while another run holds the fleet', async () => {
    await claim('monday');
    await journal('monday', [{ type: 'finished', at: NOW.toISOString(), result: runResult({ rows: 7 }) }]);
    await claim('monday', { held: false, ended: 'finished' });
    await claim('tuesday');
    expect(await choose('monday')).toMatchObject({ kind: 'finished', state: { result: { rows: 7 } } });
  });

  it('is a new run when the claimed run has a result and only the release of its claim is missing', async () => {
    await claim('monday');
    await journal('monday', [{ type: 'finished', at: NOW.toISOString(), result: runResult() }]);
    expect(await unfinishedClaim(store)).toBeNull();
    expect(await choose(null)).toMatchObject({ kind: 'new' });
  });

  it('is the finished run of the given key, even if its process was killed before it ended its claim', async () => {
    await claim('monday');
    await journal('monday', [{ type: 'finished', at: NOW.toISOString(), result: runResult({ rows: 7 }) }]);
    await claim('tuesday');
    expect(await choose('monday')).toMatchObject({ kind: 'finished', state: { result: { rows: 7 } } });
  });

  it('fails on a claim that cannot be read, and names that claim', async () => {
    store.objects.set('claims/000000000001.json', '{"schema":1,');
    await expect(choose(null)).rejects.toThrow(
      /the journal in memory cannot be read: claims\/000000000001.json is not a claim .* Nothing was changed/s,
    );
  });

  it('is a new run with a journal of its own for the key of an abandoned run', async () => {
    await claim('monday');
    await claim('monday', { held: false, ended: 'abandoned' });
    const chosen = await choose('monday');
    expect(chosen).toMatchObject({ kind: 'new', runKey: 'monday' });
    expect(chosen.kind === 'new' && chosen.folder).not.toBe(runFolder('monday'));
  });

  it('is a new run when the cluster refused the index of the earlier definition, so that nothing is left of it', async () => {
    await claim('monday', { digest: 'other' });
    await claim('monday', { digest: 'other', held: false });
    expect(await choose('monday')).toMatchObject({ kind: 'new', runKey: 'monday' });
  });

  it('is the unfinished run of another definition when its alias has moved and only its end is missing', async () => {
    await claim('monday', { digest: 'other' });
    await journal('monday', [
      { type: 'phase_started', phase: 'promote', at: NOW.toISOString() },
      { type: 'phase_finished', phase: 'promote', at: NOW.toISOString(), record: { targets: [] } },
    ]);
    expect(await choose(null)).toMatchObject({ kind: 'unfinished' });
    expect(await choose('monday')).toMatchObject({ kind: 'unfinished' });
  });

  it('is refused for a key whose definition has changed, and names the one command that begins it anew', async () => {
    await claim('it’s monday', { digest: 'other' });
    const refused = choose('it’s monday');
    await expect(refused).rejects.toThrow(OutdatedRun);
    await expect(refused).rejects.toThrow("`reindex-fleet run --run-key 'it’s monday' --restart`");
  });

  it('accepts keys with any characters that a scheduler may produce', async () => {
    const key = 'scheduled__2026-01-01T00:00:00+00:00/../é';
    expect(runFolder(key)).toMatch(/^runs\/[a-z0-9-]+$/);
    expect(runFolder(key)).not.toBe(runFolder(`${key}x`));
    expect(await choose(key)).toMatchObject({ kind: 'new', runKey: key });
  });
});

function choose(runKey: string | null) {
  return chooseRun(store, { runKey, definitionDigests: ['digest'], now: NOW });
}

async function claim(
  runKey: string,
  options: { digest?: string; held?: boolean; ended?: 'finished' | 'abandoned' } = {},
): Promise<void> {
  await writeClaim(store, {
    held: options.held ?? true,
    runKey,
    run: `run-of-${runKey}`,
    aliases: claimedAliases('cities', options.digest),
    at: '2026-01-01T00:00:00.000Z',
    ended: options.ended ?? null,
  });
}

async function journal(runKey: string, events: RunEvent[]): Promise<void> {
  const opened = await RunJournal.open({
    store,
    runFolder: runFolder(runKey),
    epoch: 1,
    requireHeld: () => {},
    now: () => NOW,
  });
  await opened.append(events);
}
