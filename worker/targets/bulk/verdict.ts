import { answerWords } from '../../../definition/answer-words.ts';
import type { ClusterSaying } from './cluster-words.ts';
import type { FlowEffect } from './flow-gate.ts';
import {
  clusterStop,
  type Outcomes,
  readOutcomes,
  ResponseMismatch,
  type Sent,
  shortened,
  storedOutcomes,
} from './outcomes.ts';
import { passesByItself } from './passing-errors.ts';
import type { BulkAnswer } from './send.ts';
import { allStoredAlike } from './uniform-response.ts';

/** What is to be done after one bulk request. Pure. */
export type Verdict =
  | { readonly kind: 'read'; readonly outcomes: Outcomes; readonly effect: FlowEffect }
  /** Nothing of it is settled: all of it is sent again. */
  | {
      readonly kind: 'again';
      readonly why: 'turned away' | 'unavailable' | 'reset' | 'timeout' | 'unreachable' | 'mismatch';
      readonly message: string;
      /** The kind of the trouble, for a person: it quotes no document. */
      readonly said: string;
      readonly afterMs: number | null;
      readonly effect: FlowEffect;
    }
  /** The request as a whole is unfit: smaller ones show which document makes it so. */
  | { readonly kind: 'unfit'; readonly saying: ClusterSaying; readonly effect: FlowEffect };

/** @throws TaskFailure `stop` when the cluster says that no other try can mend it. */
export function judge(answer: BulkAnswer, sent: Sent): Verdict {
  if (answer.kind === 'answered') return judgeAnswer(answer, sent);
  const effect = answer.kind === 'timeout' ? 'timeout' : 'neither';
  const { kind: why, message } = answer;
  return { kind: 'again', why, message, said: message, afterMs: null, effect };
}

function judgeAnswer(answer: Extract<BulkAnswer, { kind: 'answered' }>, sent: Sent): Verdict {
  const { status } = answer;
  if (status === 200) return judgeItems(answer.body, sent);
  const { type, reason } = wordsOf(answer.body.toString(), status);
  const said = `status ${status}, ${passesByItself(type) ? `${type}: ${reason}` : type}`;
  if (status === 429 && type !== 'cluster_block_exception')
    return { ...again('turned away', reason), ...later(answer, said), effect: 'refused' };
  if (status >= 500 || status === 408) return { ...again('unavailable', reason), ...later(answer, said) };
  if (status === 413 || (status === 400 && type !== 'index_closed_exception')) {
    const saying = { type: status === 413 ? 'request_too_large' : type, reason, cause: null };
    return { kind: 'unfit', saying, effect: 'neither' };
  }
  throw clusterStop(sent.alias, type, `${status}: ${reason}`);
}

function judgeItems(body: Buffer, sent: Sent): Verdict {
  if (allStoredAlike(body, sent)) {
    return { kind: 'read', outcomes: storedOutcomes(sent.count), effect: 'acknowledged' };
  }
  const answer = jsonIn(body.toString());
  // A gateway's page. The cluster itself may be away for as long as it stands.
  if (answer === null)
    return again('unavailable', 'status 200, but the answer is not JSON, as a cluster’s is');
  try {
    const outcomes = readOutcomes(answer, sent);
    return { kind: 'read', outcomes, effect: outcomes.congested ? 'refused' : 'acknowledged' };
  } catch (error) {
    if (error instanceof ResponseMismatch) return again('mismatch', error.message);
    throw error;
  }
}

/** The value of a JSON text; null: it is none. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

type Again = Extract<Verdict, { kind: 'again' }>;

function again(why: Again['why'], message: string): Again {
  return { kind: 'again', why, message, said: message, afterMs: null, effect: 'neither' };
}

function later(
  { retryAfterMs }: Extract<BulkAnswer, { kind: 'answered' }>,
  said: string,
): Pick<Again, 'said' | 'afterMs'> {
  return { said, afterMs: retryAfterMs };
}

/** The cluster's type and reason of a whole-request error; of another's answer, its words in whatever form. */
function wordsOf(text: string, status: number): { type: string; reason: string } {
  const error = errorOf(text);
  const type = typeof error?.type === 'string' ? error.type : `status_${status}`;
  const reason =
    typeof error?.reason === 'string' ? error.reason : (answerWords(text) ?? `HTTP status ${status}`);
  return { type, reason: shortened(reason) };
}

function errorOf(text: string): { type?: unknown; reason?: unknown } | null {
  try {
    const body = JSON.parse(text) as { error?: unknown } | null;
    const error = body?.error;
    return typeof error === 'object' ? error : null;
  } catch {
    return null;
  }
}
