import type { TaskError } from './contract.ts';

/** Ends a task. `next` tells the orchestrator what to do; the message is written for a person. */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure';
  readonly next: TaskError['next'];
  readonly type: string;

  constructor(next: TaskError['next'], type: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.next = next;
    this.type = type;
  }

  toTaskError(): TaskError {
    return { next: this.next, type: this.type, message: this.message };
  }
}
