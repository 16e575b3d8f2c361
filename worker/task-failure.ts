import { Failure, type NextMove } from '../definition/failure.ts';
import type { TaskError } from './contract.ts';

/** What the orchestrator does for each word on the wire. */
const MOVES: Readonly<Record<TaskError['next'], NextMove>> = {
  retry: 'try-again',
  stop: 'mend-and-repeat',
  cancelled: 'stop',
};

/** Ends a task. `next` tells the orchestrator what to do; the message is written for a person. */
export class TaskFailure extends Failure {
  override readonly name = 'TaskFailure';
  override readonly move: NextMove;
  readonly next: TaskError['next'];
  readonly type: string;

  constructor(next: TaskError['next'], type: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.move = MOVES[next];
    this.next = next;
    this.type = type;
  }

  toTaskError(): TaskError {
    return { next: this.next, type: this.type, message: this.message };
  }
}
