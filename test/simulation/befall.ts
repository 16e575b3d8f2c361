import type { Index } from '../../embedded/development-node/indexes.ts';
import { metaOf } from './cluster-quirks.ts';
import type { Fault } from './faults.ts';
import type { World } from './world.ts';

/** Three times the longest time that workers wait for a dependency. It stops many runs, which are then resumed. */
const LONG_OUTAGE_MS = 900_000;
/** Callers of the cluster are more patient than that. */
const MOST_BUSY_MS = 240_000;

/**
 * Decides what happens to everything but orchestrators and workers, and when.
 *
 * @param command gives a command beside the others
 */
export function befall(world: World, command: (command: 'abandon' | 'sweep') => void): void {
  const { random, cluster, table, scheduler } = world;
  const at: At = (fault, times, work, within = 300_000) => {
    if (!world.has(fault)) return;
    for (let i = 0; i < times; i += 1)
      scheduler.after(random.whole(1_000, within), () => {
        world.faults.note(fault);
        world.tell('world', fault);
        work();
      });
  };
  const until = (ms: number): number => scheduler.nowMs + ms;
  at(
    'capacity runs out',
    1,
    () => {
      world.group.shortUntilMs = until(random.whole(10_000, 200_000));
      world.group.capacity = 0;
    },
    60_000,
  );
  at(
    'cloud gives fewer than asked for',
    1,
    () => {
      world.group.shortUntilMs = until(random.whole(30_000, LONG_OUTAGE_MS));
      world.group.capacity = random.whole(0, world.scene.workers);
    },
    20_000,
  );
  at('image parameter moves', 1, () => moveImage(world), 200_000);
  at('instance of another run is there', 1, () => world.group.launchForeign(), 20_000);
  at(
    'cluster refuses bulks for minutes',
    1,
    () => {
      cluster.fullUntilMs = until(random.whole(10_000, LONG_OUTAGE_MS));
    },
    100_000,
  );
  at(
    'cluster is down for minutes',
    1,
    () => {
      cluster.downUntilMs = until(random.whole(5_000, 200_000));
    },
    150_000,
  );
  at(
    'journal cannot be written for a while',
    2,
    () => {
      world.journal.brokenUntilMs = until(random.whole(100, 60_000));
    },
    150_000,
  );
  at(
    'database is down for a while',
    1,
    () => databaseDown(world, random.whole(5_000, LONG_OUTAGE_MS)),
    100_000,
  );
  at('rows are inserted', 3, () => table.insert(BigInt(random.whole(-600, 1200))), 100_000);
  at('rows are deleted', 3, () => deleteRow(world), 100_000);
  at('rows change after they were read', 4, () => updateRows(world), 100_000);
  at('index turns red', 1, () => beforePromotion(world, (index) => cluster.red.add(index)), 120_000);
  at('index is lost', 1, () => beforePromotion(world, (index) => cluster.loseIndex(index)), 120_000);
  at(
    'documents vanish',
    1,
    () => beforeValidation(world, (index) => cluster.loseDocuments(index, () => random.chance(0.2))),
    60_000,
  );
  befallReaders(world, at);
  at('run abandoned', 1, () => command('abandon'), 150_000);
  at('sweep', 3, () => command('sweep'), 400_000);
}

/** Plans a fault: so many times, each within a time. */
type At = (fault: Fault, times: number, work: () => void, within?: number) => void;

/** What befalls the table as a whole, the readers' alias, and what a cluster keeps of an index. */
function befallReaders(world: World, at: At): void {
  const { random, cluster, table, scheduler } = world;
  at('keys are NULL', 1, () => beforeValidation(world, () => (table.unkeyed = random.whole(1, 5))), 60_000);
  at('table is emptied', 1, () => emptyTable(world), 200_000);
  at(
    'cluster indexes less than it stores',
    1,
    () => {
      cluster.quirks.drops = random.pick(['said', 'unsaid']);
    },
    20_000,
  );
  at(
    'clean-up is refused',
    1,
    () => {
      cluster.quirks.keepsBecause = random.pick(['snapshot', 'security']);
      cluster.quirks.keepsUntilMs = scheduler.nowMs + random.whole(60_000, 4 * LONG_OUTAGE_MS);
    },
    60_000,
  );
  at(
    'cluster is busy for minutes',
    1,
    () => {
      cluster.quirks.busyUntilMs = scheduler.nowMs + random.whole(30_000, MOST_BUSY_MS);
    },
    150_000,
  );
}

/** As by TRUNCATE, or by a load that was cut off. */
function emptyTable({ table, random }: World): void {
  const left = random.chance(0.5) ? 0 : 0.2;
  for (const key of table.keysIn({ start: null, end: null })) if (!random.chance(left)) table.delete(key);
}

/** Moves the image parameter to another image, until somebody sets it back to the pin of the run. */
function moveImage(world: World): void {
  const { group, random, scheduler } = world;
  group.image = `ami-${random.whole(2, 9)}`;
  const putBack = (): void => {
    if (world.pinnedImage !== null) group.image = world.pinnedImage;
    scheduler.after(LONG_OUTAGE_MS, putBack);
  };
  scheduler.after(random.whole(5_000, LONG_OUTAGE_MS), putBack);
}

function databaseDown({ table, scheduler }: World, ms: number): void {
  table.down = true;
  scheduler.after(ms, () => {
    table.down = false;
  });
}

function updateRows({ table, random }: World): void {
  const { keys } = table;
  for (let wanted = random.whole(1, 5); wanted > 0 && keys.length > 0; wanted -= 1)
    table.update(random.pick(keys));
}

function deleteRow({ table, random }: World): void {
  const keys = table.keysIn({ start: null, end: null });
  if (keys.length > 0) table.delete(random.pick(keys));
}

/** Once the alias is about to move, changes of the index no longer concern the run. */
function beforePromotion(world: World, work: (index: string) => void): void {
  const index = newestIndex(world);
  if (index !== null && !world.journal.says('promotion_intended')) work(index);
}

/** Nobody can see a loss that happens after the validation has read. */
function beforeValidation(world: World, work: (index: string) => void): void {
  const index = newestIndex(world);
  if (index !== null && !world.journal.says('"phase":"validate"')) work(index);
}

function newestIndex({ cluster, fleet }: World): string | null {
  const isOurs = (index: Index): boolean =>
    /^places-\d+-\w+$/.test(index.name) && metaOf(index)?.fleet === fleet;
  return cluster.indexes.byName.values().find(isOurs)?.name ?? null;
}
