import { Failure } from './failure.ts';

/** Where something is in a file of settings. Line and column count from 1. They are null for the file as a whole. */
export interface Position {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** One thing that is wrong with what a person wrote. */
export interface Fault extends Position {
  /** The setting, e.g. `source.joins[0].on`. Empty for the whole file. */
  readonly path: string;
  /** What is wrong and what to write instead, in one or more sentences. */
  readonly message: string;
}

/** Everything that is wrong, named at once, so that a person can correct it at once. */
export class Faults extends Failure {
  override readonly name = 'Faults';
  override readonly move = 'mend-input';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[], options?: ErrorOptions) {
    super(faults.map(formatFault).join('\n'), options);
    this.faults = faults;
  }
}

/** Writes a fault as `cities.yaml:12:5 document.location: …`. */
export function formatFault(fault: Fault): string {
  const place = [fault.file, fault.line, fault.column].filter((part) => part !== null).join(':');
  return `${place}${fault.path === '' ? '' : ` ${fault.path}`}: ${fault.message}`;
}

/** Writes a path through maps and lists as a person reads it: `source.joins[0].on`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join('');
}
