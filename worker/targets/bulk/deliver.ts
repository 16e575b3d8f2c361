import { setTimeout as sleep } from 'node:timers/promises';
import { TaskFailure } from '../../task-failure.ts';
import { backoffMs } from '../../backoff.ts';
import type { Batch } from '../batch.ts';
import type { Books, Delivered, OnRefused } from './books.ts';
import type { DeliveryMeter } from './delivery-meter.ts';
import type { FlowGate } from './flow-gate.ts';
import type { Sent } from './outcomes.ts';
import { bodyOf, bytesOf, halvesOf, keyAt, type Piece, wholeOf } from './piece.ts';
import { restOfItems } from './rest-of-items.ts';
import type { BulkClient } from './send.ts';
import { judge, type Verdict } from './verdict.ts';

/** A whole-request reset or refusal of this many times in a row makes the request smaller. */
const REPEATS_BEFORE_HALVING = 3;
const MISMATCHES_BEFORE_STOP = 3;

/** Where documents go. */
export interface Destination {
  readonly path: string;
  readonly alias: string;
  readonly index: string | null;
  readonly versioned: boolean;
}

/** What every delivery of a task shares. */
export interface DeliveryContext {
  readonly client: BulkClient;
  readonly gate: FlowGate;
  readonly meter: DeliveryMeter;
  readonly signal: AbortSignal;
  /** A number from 0 to below 1. */
  readonly random: () => number;
}

/**
 * Sends a batch until each of its items has its outcome, however often that takes: a cluster that is down is waited for,
 * and only the signal ends that. Halves are sent one after the other, so after a bad time few small requests remain.
 * @throws TaskFailure `stop` when no other try can mend it, and the signal's reason when it is aborted.
 */
export async function deliver(
  batch: Batch,
  destination: Destination,
  context: DeliveryContext,
  onRefused: OnRefused,
): Promise<Delivered> {
  const delivered: Delivered = { indexed: 0, superseded: 0 };
  const pieces = batch.items > 0 ? [wholeOf(batch)] : [];
  for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
    if (bytesOf(piece) > context.gate.limitBytes && piece.count > 1) {
      pieces.push(...halvesOf(piece).reverse());
      continue;
    }
    const verdict = await attempt(piece, destination, context);
    const rest = restOf(verdict, piece, { delivered, meter: context.meter, onRefused });
    pieces.push(...rest.reverse());
    await pause(verdict, rest.at(-1), context);
  }
  return delivered;
}

async function attempt(piece: Piece, destination: Destination, context: DeliveryContext): Promise<Verdict> {
  const bytes = bytesOf(piece);
  const sent: Sent = { ...destination, keys: piece.batch.keys, first: piece.first, count: piece.count };
  const enteredAtMs = await context.gate.enter(bytes, context.signal);
  let effect: Verdict['effect'] = 'neither';
  try {
    context.meter.bytesSent += bytes;
    const answer = await context.client.send(destination.path, bodyOf(piece), context.signal);
    const verdict = judge(answer, sent);
    effect = verdict.effect;
    return verdict;
  } finally {
    context.gate.leave(bytes, enteredAtMs, effect);
  }
}

/** Books what is settled and gives what is still to be sent, in order. */
function restOf(verdict: Verdict, piece: Piece, books: Books): Piece[] {
  if (verdict.kind === 'again') {
    books.meter.trouble = `${verdict.said} (keys from ${keyAt(piece, 0)} on)`;
    return failed(piece, verdict);
  }
  if (verdict.kind === 'read') return restOfItems(verdict.outcomes, piece, books);
  if (piece.count > 1) return halvesOf(piece);
  books.onRefused({ position: 0, ...verdict.saying }, piece);
  return [];
}

function failed(piece: Piece, verdict: Extract<Verdict, { kind: 'again' }>): Piece[] {
  piece.failures++;
  if (verdict.why === 'mismatch' && ++piece.mismatches === MISMATCHES_BEFORE_STOP)
    throw mismatch(verdict.message);
  const repeatable = verdict.why === 'reset' || verdict.why === 'turned away';
  if (repeatable && ++piece.repeats >= REPEATS_BEFORE_HALVING && piece.count > 1) return halvesOf(piece);
  return [piece];
}

function mismatch(message: string): TaskFailure {
  return new TaskFailure(
    'stop',
    'response_mismatch',
    `The cluster's answers to a bulk request did not match what was sent, ${MISMATCHES_BEFORE_STOP} times: ${message}. ` +
      'Look for a proxy or an ingest pipeline that changes requests or answers.',
  );
}

/** Waits before what is left is sent, and keeps the meter. */
async function pause(verdict: Verdict, next: Piece | undefined, context: DeliveryContext): Promise<void> {
  if (verdict.kind === 'unfit') return;
  context.meter.waiting = next !== undefined && next.failures > 0;
  if (next === undefined) return;
  context.meter.retries++;
  const wait = backoffMs(Math.max(1, next.failures), context.random());
  const asked = verdict.kind === 'again' ? (verdict.afterMs ?? 0) : 0;
  await sleep(Math.max(wait, asked), undefined, { signal: context.signal }).catch(() =>
    context.signal.throwIfAborted(),
  );
}
