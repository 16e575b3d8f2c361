import type { World } from './world.ts';

/**
 * What a person does about a refusal, by its words. Gives the command that has to be given before the refused one is
 * repeated; null when there is none.
 */
export function mend(world: World, message: string): 'abandon' | null {
  const { table, cluster, accepts } = world;
  const does = (what: string): void => world.tell('person', what);
  if (/in no range of keys/.test(message)) {
    does('gives a key to no row, and deletes those without');
    table.unkeyed = 0;
  }
  if (/Set the alias without what hides documents/.test(message)) {
    does('sets the alias without routing');
    cluster.unroute(ALIAS);
  }
  if (/--allow-shrink/.test(message)) {
    does('accepts that the alias shrinks');
    accepts.shrink = true;
  }
  if (/--replace-foreign/.test(message)) {
    does('accepts that the index of another fleet is replaced');
    accepts.foreign = true;
  }
  if (!/has dropped values|does not find the document/.test(message)) return null;
  does('takes the template away, and ends the run whose index lacks values');
  cluster.quirks.drops = null;
  return 'abandon';
}

const ALIAS = 'places';
