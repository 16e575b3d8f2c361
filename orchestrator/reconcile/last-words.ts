import type { Draft } from './draft.ts';

/** Clauses that say what became of the workers of a run that has none left. A person must look into it. */
export function lastWords(draft: Draft): string[] {
  return [...lastReplacement(draft), ...ownEnds(draft)];
}

/** Why the last worker was replaced that did not end by itself. */
function lastReplacement({ state }: Draft): string[] {
  const last = Object.entries(state.terminations).findLast(([, { replaced }]) => replaced);
  if (last === undefined || state.replacements === 0) return [];
  return [`worker ${last[0]} was replaced because ${last[1].reason}`];
}

/** How many workers ended by themselves, and what the fleet says of the last one. */
function ownEnds(draft: Draft): string[] {
  const ended = [...draft.memory.instances].filter(([, { endedByItself }]) => endedByItself);
  if (ended.length === 0) return [];
  const unready = ended.filter(([, { readyMs }]) => readyMs === null).length;
  const last = ended.map(([id]) => draft.instance(id)?.detail ?? null).findLast((detail) => detail !== null);
  return [
    unready === 0 ? ownEndsWords(ended.length) : unreadyEndsWords(unready),
    ...(last === undefined ? [] : [`the last one: ${last}`]),
  ];
}

function ownEndsWords(count: number): string {
  return count === 1 ? '1 worker ended by itself' : `${count} workers ended by themselves`;
}

function unreadyEndsWords(count: number): string {
  const where =
    count === 1 ? 'before it was ready: look at its log' : 'before they were ready: look at their logs';
  return `${ownEndsWords(count)} ${where}`;
}
