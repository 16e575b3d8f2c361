import type { DoubtfulItem } from './outcomes.ts';

/**
 * When a document is said to be at fault that the cluster answers with 5xx again and again. An error 5xx is the cluster's own
 * word for a fault of its own; but a pipeline, a script or a processor says the same of one document. Pure.
 */

/** Tries in a row that a document fails before it is judged. Their pauses last about 3 s together. */
const TRIES = 6;
/** Where nothing else shows that the cluster takes documents: about 30 s. */
const TRIES_OF_LAST = 10;
/** A group of more documents that all fail is the cluster's trouble, where nothing else shows that it takes documents. */
const FEW = 10;
/** So many documents fail in a pipeline, and none passes it, before the fault is said to be the pipeline's. */
export const MOST_WITHOUT_ANY_TAKEN = 100;

/** What only a pipeline says, whatever the cluster's load. */
const OF_PIPELINES = new Set([
  'fail_processor_exception',
  'ingest_processor_exception',
  'script_exception',
  'general_script_exception',
]);
const INTERNAL_ERROR = 500;

/** What is known of a group of documents that fail together. */
export interface Doubt {
  readonly items: readonly DoubtfulItem[];
  /** Tries in a row in which each of them failed. */
  readonly tries: number;
  /** Documents of the task that the cluster took since the try before. */
  readonly takenSinceLastTry: number;
  /** Documents of the task that the cluster ever took. */
  readonly takenEver: number;
}

/** Whether the documents themselves are at fault. False: it is not known yet, and they are sent again. */
export function areAtFault({ items, tries, takenSinceLastTry, takenEver }: Doubt): boolean {
  if (tries < TRIES) return false;
  if (takenSinceLastTry > 0 || items.every(({ type }) => OF_PIPELINES.has(type))) return true;
  return (
    tries >= TRIES_OF_LAST &&
    takenEver > 0 &&
    items.length <= FEW &&
    items.every(({ status }) => status === INTERNAL_ERROR)
  );
}
