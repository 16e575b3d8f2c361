import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Failure, moveAfterStatus, type NextMove } from '../definition/failure.ts';

/** A refused call. It has the HTTP status, a sentence for the caller, and the wrong field if there is one. */
export class Refusal extends Failure {
  override readonly name = 'Refusal';
  override readonly move: NextMove;
  readonly status: ContentfulStatusCode;
  readonly field: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: ContentfulStatusCode,
    message: string,
    options: { field?: string | undefined; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.move = moveAfterStatus(status);
    this.field = options.field;
    this.headers = options.headers ?? {};
  }
}
