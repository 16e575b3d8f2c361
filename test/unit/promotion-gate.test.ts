import { describe, expect, it } from 'vitest';
import { parseDefinition } from '../../definition/load.ts';
import { ClusterError } from '../../orchestrator/index/cluster-error.ts';
import type { SearchCalls } from '../../orchestrator/index/search-calls.ts';
import { RunJournal } from '../../orchestrator/journal/run-journal.ts';
import type { RunEvent } from '../../orchestrator/reconcile/events.ts';
import type { PhaseRecord } from '../../orchestrator/reconcile/phases.ts';
import type { RunContext } from '../../orchestrator/run/context.ts';
import { promotePhase } from '../../orchestrator/run/promote-phase.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { IDENTITY } from '../support/virtual-world.ts';

const AT = '2026-01-01T00:00:00.000Z';
const DEFINITION = 'name: cities\nalias: cities\nsource: { table: c, key: id }\ndocument: { name: c.name }\n';
const PROOF = {
  rows: 10,
  filtered: 0,
  documents: 9,
  dead_letters: 1,
  ranges: 1,
  ranges_by_keys: 1,
  samples_compared: 9,
  rows_read_from: AT,
};

describe('promotion of an alias', () => {
  it('is refused while the journal has no proof of the index', async () => {
    await expect(promote([])).rejects.toThrow(
      'the journal has no record that target was validated, so nobody has proven what it holds. The alias cities stays where it is. Run `reindex-fleet validate`, then the same command again.',
    );
  });

  it('is refused while the proof belongs to another index', async () => {
    await expect(promote([proven({ targets: [{ index: 'another', ...PROOF }] })])).rejects.toThrow(
      'the journal has no record that target was validated',
    );
  });

  it('is refused while the proof counts more dead letters than the limit, and one of them is named', async () => {
    const call = (_method: string, path: string): Promise<unknown> =>
      Promise.resolve(path.endsWith('/_search') ? ONE_LETTER : {});
    await expect(promote([proven({ targets: [{ index: 'target', ...PROOF }] })], call)).rejects.toThrow(
      'rows that could not become documents: 1, more than promote_limit 0. The alias stays where it is.\nOne of them is the row of key 9007199254740993: 22012: The field "name" cannot be computed: division by zero.\nLook at the rows with GET /target-dead-letters/_search.',
    );
  });

  it('is refused with the place of the dead letters when the cluster does not show one', async () => {
    const call = (): Promise<unknown> =>
      Promise.reject(new ClusterError(403, 'security_exception', 'no permissions'));
    await expect(promote([proven({ targets: [{ index: 'target', ...PROOF }] })], call)).rejects.toThrow(
      'The alias stays where it is.\nLook at the rows with GET /target-dead-letters/_search.',
    );
  });
});

function proven(record: PhaseRecord<'validate'>): RunEvent {
  return { type: 'phase_finished', phase: 'validate', at: AT, record };
}

const ONE_LETTER = {
  hits: {
    hits: [
      {
        _id: '9007199254740993',
        _source: { type: '22012', reason: 'The field "name" cannot be computed: division by zero.' },
      },
    ],
  },
};

const untouched = (): never => {
  throw new Error('the cluster was asked');
};

/** Promotes the run that its journal tells so. Its cluster refuses to be asked for anything but `call`. */
async function promote(events: readonly RunEvent[], call: SearchCalls['call'] = untouched): Promise<unknown> {
  const options = { store: new MemoryStore(), runFolder: 'runs/test', epoch: 1, requireHeld: () => {} };
  const journal = await RunJournal.open({ ...options, now: () => new Date(AT) });
  await journal.append([IDENTITY, ...events]);
  const { definition } = parseDefinition(DEFINITION, 'cities.yaml');
  const cluster: SearchCalls = {
    where: 'nowhere',
    call,
    callText: untouched,
    callOrNull: untouched,
    search: untouched,
  };
  const [target] = IDENTITY.targets;
  const described = { definition, fields: [], changedAtOid: null };
  return promotePhase({
    connections: { cluster },
    identity: IDENTITY,
    journal,
    targets: [{ ...target, described }],
    promoteLimit: null,
    signal: new AbortController().signal,
  } as unknown as RunContext);
}
