import { describe, expect, it } from 'vitest';
import { exitCodeOf, type Failure, type NextMove } from '../../definition/failure.ts';
import { Faults } from '../../definition/faults.ts';
import { ServicesFailure } from '../../embedded/services-failure.ts';
import {
  FleetHeld,
  Interrupted,
  Overdue,
  RunFailed,
  Superseded,
  Throttled,
  Unreachable,
  UsageFault,
} from '../../orchestrator/errors.ts';
import { WorkerRefusal } from '../../orchestrator/fleet/worker-client.ts';
import { ClusterError } from '../../orchestrator/index/cluster-error.ts';
import { BucketMissing } from '../../orchestrator/journal/bucket-failure.ts';
import { ResponseMismatch } from '../../worker/targets/bulk/outcomes.ts';
import { Refusal } from '../../worker/refusal.ts';
import { SettingsError } from '../../worker/settings.ts';
import { TaskFailure } from '../../worker/task-failure.ts';

describe('a failure', () => {
  const cases: [Failure, NextMove, number][] = [
    [new UsageFault('x'), 'mend-input', 2],
    [new Faults([]), 'mend-input', 2],
    [new SettingsError('x'), 'mend-input', 2],
    [new RunFailed('x'), 'mend-and-repeat', 1],
    [new BucketMissing('x'), 'mend-and-repeat', 1],
    [new ServicesFailure('x'), 'mend-and-repeat', 1],
    [new Unreachable('x'), 'try-again', 1],
    [new Throttled('x'), 'try-again', 1],
    [new Overdue('x'), 'try-again', 1],
    [new ResponseMismatch('x'), 'try-again', 1],
    [new FleetHeld('x'), 'leave', 3],
    [new Superseded('x'), 'stop', 3],
    [new Interrupted('SIGHUP'), 'SIGHUP', 129],
    [new Interrupted('SIGINT'), 'SIGINT', 130],
    [new Interrupted('SIGTERM'), 'SIGTERM', 143],
  ];
  const named = cases.map(([failure, ...rest]) => [failure.constructor.name, failure, ...rest] as const);
  it.each(named)('of the type %s decides the next move and the exit code: %s', (_, failure, move, code) => {
    expect([failure.move, exitCodeOf(failure)]).toEqual([move, code]);
  });

  it.each([
    ['no answer', 0, 'try-again'],
    ['an answer in part', 200, 'try-again'],
    ['what may not be done', 403, 'mend-and-repeat'],
    ['a queue that is full', 429, 'try-again'],
    ['a server that broke', 503, 'try-again'],
  ])('over HTTP decides its move by the status of %s', (_, status, move) => {
    expect(new ClusterError(status, 'planted', 'x').move).toBe(move);
    expect(new WorkerRefusal(status, 'x').move).toBe(move);
  });

  it.each([
    [400, 'mend-and-repeat'],
    [429, 'try-again'],
    [503, 'try-again'],
  ] as const)('of a call to a worker decides its move by the status %i', (status, move) => {
    expect(new Refusal(status, 'x').move).toBe(move);
  });

  it.each([
    ['retry', 'try-again'],
    ['stop', 'mend-and-repeat'],
    ['cancelled', 'stop'],
  ] as const)('of a task decides its move by the word %s on the wire', (next, move) => {
    expect(new TaskFailure(next, 'planted', 'x').move).toBe(move);
  });

  it('never shows the password of a URL', () => {
    const { message } = new RunFailed('postgres://shop:s3cret@db:5432/shop and https://:k@es refuse');
    expect(message).toBe('postgres://shop:***@db:5432/shop and https://:***@es refuse');
  });

  it('never shows any part of a password that contains an @', () => {
    const { message } = new RunFailed('postgres://shop:s3@c@ret@db:5432/shop refuses');
    expect(message).toBe('postgres://shop:***@db:5432/shop refuses');
  });

  it('shows a message without a password unchanged', () => {
    const sentence = 'http://db:9200/a@b, s3://bucket/key: at 12:30 user@host said a:b@c (https://docs.x/y)';
    expect(new RunFailed(sentence).message).toBe(sentence);
  });

  it('keeps its cause', () => {
    const cause = new Error('below');
    expect(new Faults([], { cause }).cause).toBe(cause);
  });
});

it.each([new Error('a fault of the program'), new TypeError('x'), 'text', null, undefined])(
  'an unforeseen error ends a command with exit code 1: %s',
  (error) => {
    expect(exitCodeOf(error)).toBe(1);
  },
);
