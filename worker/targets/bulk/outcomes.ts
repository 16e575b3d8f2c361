import { Failure } from '../../../definition/failure.ts';
import { signedRequestsAdvice } from '../../../definition/signed-requests.ts';
import type { KeyStore } from '../../key/key-bytes.ts';
import { TaskFailure } from '../../task-failure.ts';
import { type ClusterSaying, safeClusterWords } from './cluster-words.ts';
import { passesByItself } from './passing-errors.ts';

/**
 * What became of each item of a bulk request: matches the response item by item with what was sent, and classes the
 * errors by the cluster's `error.type`, for the status alone misleads (a flood-stage block comes as 429, like a full queue).
 * Pure.
 */

/** Longest reason that is kept of the cluster's words, in characters. */
export const MAX_REASON_LENGTH = 1_000;

/** What a response is held against. */
export interface Sent {
  readonly keys: KeyStore;
  /** Position in `keys` of the first item sent. */
  readonly first: number;
  readonly count: number;
  /** The name that was written to, for messages. */
  readonly alias: string;
  /** The concrete index in which every item must land; null: not known to the worker. */
  readonly index: string | null;
  /** Whether writes carry external versions, so that a conflict means that a newer one stands. */
  readonly versioned: boolean;
}

/** An item that the cluster will never take as it is. */
export interface RefusedItem extends ClusterSaying {
  /** Position among the items sent, from 0. */
  readonly position: number;
}

/** An item that failed with 5xx: the cluster's fault, or the document's, which only shows when it is sent again. */
export interface DoubtfulItem extends RefusedItem {
  readonly status: number;
}

export interface Outcomes {
  indexed: number;
  superseded: number;
  /** Positions among the items sent, rising, that the cluster could not take now. */
  readonly again: number[];
  readonly refused: RefusedItem[];
  /** Rising by position. */
  readonly doubtful: DoubtfulItem[];
  /** The first of `again`, for a person; null: there is none. */
  turnedAway: RefusedItem | null;
  /** Whether an item was turned away by a full queue (429): the sign to slow down. */
  congested: boolean;
}

/** A response that does not fit what was sent; none of it is believed. */
export class ResponseMismatch extends Failure {
  override readonly name = 'ResponseMismatch';
  override readonly move = 'try-again';
}

interface ItemResponse {
  readonly _id?: unknown;
  readonly _index?: unknown;
  readonly status?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly type?: unknown; readonly reason?: unknown; readonly caused_by?: unknown };
}

/**
 * @throws ResponseMismatch when the response cannot be the answer to what was sent.
 * @throws TaskFailure `stop` when an item says that no other try can mend it.
 */
export function readOutcomes(response: unknown, sent: Sent): Outcomes {
  const items = itemsOf(response);
  if (items.length !== sent.count) {
    throw new ResponseMismatch(`${items.length} items answered, ${sent.count} sent`);
  }
  const outcomes = storedOutcomes(0);
  for (let position = 0; position < sent.count; position++) {
    addOutcome(outcomes, position, matchedItem(items[position], position, sent), sent);
  }
  return outcomes;
}

/** The outcomes of so many items that were all stored. */
export function storedOutcomes(indexed: number): Outcomes {
  return {
    indexed,
    superseded: 0,
    again: [],
    refused: [],
    doubtful: [],
    turnedAway: null,
    congested: false,
  };
}

function itemsOf(response: unknown): readonly unknown[] {
  if (isRecord(response) && Array.isArray(response['items'])) return response['items'];
  throw new ResponseMismatch('the answer has no list of items');
}

function matchedItem(entry: unknown, position: number, sent: Sent): ItemResponse {
  const item = isRecord(entry) ? entry['index'] : undefined;
  if (!isRecord(item)) throw new ResponseMismatch(`item ${position} is not the answer to an index operation`);
  const expected = sent.keys.idAt(sent.first + position);
  if (item['_id'] !== expected) {
    throw new ResponseMismatch(
      `item ${position} speaks of _id ${JSON.stringify(item['_id'])}, sent was ${expected}`,
    );
  }
  return item;
}

function addOutcome(outcomes: Outcomes, position: number, item: ItemResponse, sent: Sent): void {
  if (item.error !== undefined) return addError(outcomes, position, item, sent);
  if (item.result === 'noop') throw unexpectedNoop(item, sent);
  if (
    (item.result !== 'created' && item.result !== 'updated') ||
    (item.status !== 200 && item.status !== 201)
  ) {
    throw new ResponseMismatch(
      `the item of _id ${sent.keys.idAt(sent.first + position)} has result ${String(item.result)} and status ${String(item.status)}`,
    );
  }
  if (sent.index !== null && item._index !== sent.index) {
    throw new ResponseMismatch(
      `the document of _id ${sent.keys.idAt(sent.first + position)} landed in another index than ${sent.index}`,
    );
  }
  outcomes.indexed++;
}

function addError(outcomes: Outcomes, position: number, item: ItemResponse, sent: Sent): void {
  const status = typeof item.status === 'number' ? item.status : 0;
  const type = typeof item.error?.type === 'string' ? item.error.type : `status_${status}`;
  const reason = shortened(reasonOf(item));
  const saying: RefusedItem = { position, type, reason, cause: causeOf(item, 'type') };
  switch (classOf(type, reason, status, sent.versioned)) {
    case 'stop':
      if (type === 'index_not_found_exception' && isElsewhere(item, sent))
        throw sentElsewhere(sent.alias, sent.keys.idAt(sent.first + position));
      throw clusterStop(sent.alias, type, stopWords(saying), sent.keys.idAt(sent.first + position));
    case 'doubtful':
      outcomes.doubtful.push({ ...saying, status });
      return;
    case 'again':
      outcomes.again.push(position);
      outcomes.turnedAway ??= saying;
      outcomes.congested ||= status === 429;
      return;
    case 'superseded':
      outcomes.superseded++;
      return;
    case 'refused':
      outcomes.refused.push(saying);
  }
}

/** The cluster's reason, with what caused it: that is where the field is named that could not be parsed. */
function reasonOf(item: ItemResponse): string {
  const { error } = item;
  const reason = typeof error?.reason === 'string' ? error.reason : 'the cluster gave no reason';
  const cause = causeOf(item, 'reason');
  return cause !== null && !reason.includes(cause) ? `${reason}: ${cause}` : reason;
}

function causeOf({ error }: ItemResponse, part: 'type' | 'reason'): string | null {
  const cause = isRecord(error?.caused_by) ? error.caused_by[part] : undefined;
  return typeof cause === 'string' ? cause : null;
}

/** The cluster's own words where they speak of the index. Others may quote the document. */
function stopWords(saying: RefusedItem): string {
  const ofIndex = STOPPING.has(saying.type) || saying.type === 'illegal_argument_exception';
  return ofIndex ? saying.reason : safeClusterWords(saying, NOTHING_KEPT);
}

const NOTHING_KEPT = { fields: [], keepFields: [] };

export type ErrorClass = 'stop' | 'again' | 'doubtful' | 'superseded' | 'refused';

/** Errors after which every other write to this alias would fail in the same way. */
const STOPPING = new Set([
  'cluster_block_exception',
  'security_exception',
  'index_not_found_exception',
  'index_closed_exception',
]);
/** An `illegal_argument_exception` is mostly one document's fault; these are the alias's or the pipeline's. */
const ILLEGAL_FOR_ALL =
  /no write index is defined for alias|is_write_index|pipeline with id \[.*\] does not exist/;

/** The class of one item's error. A block that comes as 503 is a cluster without a manager, and passes. */
export function classOf(type: string, reason: string, status: number, versioned: boolean): ErrorClass {
  if (type === 'cluster_block_exception' && status === 503) return 'again';
  if (STOPPING.has(type)) return 'stop';
  if (passesByItself(type)) return 'again';
  if (type === 'version_conflict_engine_exception' && versioned) return 'superseded';
  if (type === 'illegal_argument_exception' && ILLEGAL_FOR_ALL.test(reason)) return 'stop';
  if (status === 401 || status === 403) return 'stop';
  if (status === 429) return 'again';
  return status >= 500 ? 'doubtful' : 'refused';
}

const ADVICE: Readonly<Record<string, string>> = {
  cluster_block_exception: 'If the disk is full, free space. Lift the block, then run again.',
  security_exception: "Give the workers' user the right to write to this alias.",
  index_not_found_exception:
    'The write alias is gone, because the pass has ended or the index was deleted. Look at the run.',
  index_closed_exception: 'Open the index, then run again.',
};

/** The failure that ends a task with the cluster's own words. */
export function clusterStop(
  alias: string,
  type: string,
  reason: string,
  key: string | null = null,
): TaskFailure {
  const advice = signedRequestsAdvice(reason) ?? ADVICE[type] ?? 'See the log of the search cluster.';
  const where = key === null ? '' : ` (${type}, at key ${key})`;
  return new TaskFailure(
    'stop',
    type,
    `The cluster refuses writes to ${alias}${where}: ${shortened(reason).replace(/\.$/, '')}. ${advice}`,
  );
}

/** Whether the cluster looked for another index than the one that was written to, and says so. */
function isElsewhere({ _index: index, error }: ItemResponse, { alias, index: own }: Sent): boolean {
  if (own === null || typeof index !== 'string' || index === alias || index === own) return false;
  return typeof error?.reason === 'string' && error.reason.includes(`[${index}]`);
}

function sentElsewhere(alias: string, id: string): TaskFailure {
  const message =
    `The document of _id ${id} was sent on to another index than ${alias}, which does not exist. ` +
    'An ingest pipeline that sets _index does this. Take that out of the pipeline, then run again.';
  return new TaskFailure('stop', 'document_sent_elsewhere', message);
}

function unexpectedNoop(item: ItemResponse, sent: Sent): TaskFailure {
  const message =
    `The cluster answered "noop" for _id ${String(item._id)} in ${sent.alias}, so it wrote nothing. ` +
    'An ingest pipeline that drops documents does this. Filter in the definition (source.where) instead.';
  return new TaskFailure('stop', 'unexpected_noop', message);
}

export function shortened(text: string): string {
  return text.length > MAX_REASON_LENGTH ? `${text.slice(0, MAX_REASON_LENGTH - 1)}…` : text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
