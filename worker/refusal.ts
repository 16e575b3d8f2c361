import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Failure, moveAfterStatus, type NextMove } from '../definition/failure.ts';

/** A call that is refused: its HTTP status and a sentence for the caller, with the field at fault where there is one. */
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
