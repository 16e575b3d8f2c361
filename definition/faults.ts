import { Failure } from './failure.ts';

/** Where in a file of settings something stands; line and column count from 1 and are null for the file as a whole. */
export interface Position {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** One thing that is wrong with what a person wrote. */
export interface Fault extends Position {
  /** The setting, e.g. `source.joins[0].on`; empty for the whole file. */
  readonly path: string;
  /** What is wrong and what to write instead, as a sentence or more. */
  readonly message: string;
}

/** Everything that is wrong, named at once, so that it can be mended at once. */
export class Faults extends Failure {
  override readonly name = 'Faults';
  override readonly move = 'mend-input';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[], options?: ErrorOptions) {
    super(faults.map(formatFault).join('\n'), options);
    this.faults = faults;
  }
}

/** `cities.yaml:12:5 document.location: …` */
export function formatFault(fault: Fault): string {
  const place = [fault.file, fault.line, fault.column].filter((part) => part !== null).join(':');
  return `${place}${fault.path === '' ? '' : ` ${fault.path}`}: ${fault.message}`;
}

/** A path through maps and lists as a person reads it: `source.joins[0].on`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join('');
}
