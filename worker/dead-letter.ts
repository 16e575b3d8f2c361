import type { Key } from '../definition/key/key-kind.ts';

/** A row that could not become a document, in the form for the companion index. */
export interface DeadLetter {
  readonly key: Key;
  /** Short and stable, e.g. `document_too_large`, `22P02`, `mapper_parsing_exception`. */
  readonly type: string;
  /** One sentence. It has no values of the row except in the words of the database or the cluster. */
  readonly reason: string;
  /** The fields that the definition allows to be kept, as JSON text; null: none. */
  readonly fields: string | null;
}
