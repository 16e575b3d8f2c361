import { fileURLToPath } from 'node:url';
import { parseDefinition } from '../../definition/load.ts';
import { OID } from '../../definition/field-types.ts';
import { autoScaling } from '../../orchestrator/fleet/auto-scaling/kind.ts';
import { loadSettings } from '../../orchestrator/settings.ts';
import { Driver } from './drive.ts';
import type { Fault } from './faults.ts';
import { type Setting, World, type WorldOptions } from './world.ts';

export interface WorldOutcome {
  readonly seed: number;
  /** The first broken promise; null when all held. */
  readonly broken: string | null;
  readonly faults: readonly (readonly [Fault, number])[];
  readonly commands: number;
  readonly virtualMs: number;
  /** Whether the readers' alias names an index. */
  readonly promoted: boolean;
  /** Runs whose journal a sweep has deleted. */
  readonly cleanedRuns: number;
}

const DEFINITION = `
name: places
alias: places
source: { table: places, key: id }
document: { name: places.name }
index: { number_of_replicas: 0, refresh_interval: "-1" }
retain: 0
`;
const VERSIONED = DEFINITION.replace('key: id }', 'key: id, changed_at: places.changed_at }');
const EXAMPLE_SETTINGS = fileURLToPath(new URL('../../examples/cities/settings.yaml', import.meta.url));

/** Timing of a fleet in the cloud, with leases in their order: renewal < lock < retry < worker < sweep. */
const TIMES = {
  call_timeout_ms: 5_000,
  lost_after_ms: 30_000,
  stall_timeout_ms: 45_000,
  waiting_timeout_ms: 300_000,
  replacements: 12,
  attempts: 4,
};

/** What all worlds share. */
export async function prepareWorlds(): Promise<Setting> {
  const settings = await loadSettings({ settings: EXAMPLE_SETTINGS }, {}, '/');
  return {
    plain: tableOf(DEFINITION, null),
    versioned: tableOf(VERSIONED, OID.timestamptz),
    settings: {
      ...settings,
      journal: { ...settings.journal, lease_ms: 15_000 },
      workers: { ...settings.workers, ...TIMES },
      backend: autoScaling.schema.parse({ group: 'virtual', token_parameter: '/token' }),
    },
  };
}

function tableOf(text: string, changedAtOid: number | null): Setting['plain'] {
  const loaded = parseDefinition(text, 'places.yaml');
  const { definition } = loaded;
  return { loaded, described: { definition, fields: [{ name: 'name', oid: OID.text }], changedAtOid } };
}

/** Runs one world from its seed to its end. The same seed gives the same world. */
export async function runWorld(options: WorldOptions, setting: Setting): Promise<WorldOutcome> {
  const world = new World(options, setting);
  const driver = new Driver(world);
  await driver.drive();
  return {
    seed: options.seed,
    broken: world.violation?.message ?? null,
    faults: [...world.faults.counts],
    commands: driver.commands,
    virtualMs: world.scheduler.nowMs,
    promoted: world.cluster.holders('places').length > 0,
    cleanedRuns: world.cleanedRuns,
  };
}
