import type { KeyRange } from '../../definition/key/key-range.ts';
import type { PlannedRange } from '../../orchestrator/reconcile/run-plan.ts';
import type { RunEvent, SettledEvent } from '../../orchestrator/reconcile/events.ts';
import type { Pass } from '../../orchestrator/passes/pass.ts';

/** A promise that was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

interface Rest {
  readonly start: bigint | null;
  readonly end: bigint | null;
}

export interface TableAsRead {
  /** How many rows the table has in a range; null when the range has changed since, so that nobody can say. */
  rowsIn(range: KeyRange): number | null;
}

/**
 * Reads a run's journal as it is written and keeps its own account. Every key of a pass lies in exactly one accepted
 * stretch. A stretch counts as many rows as the table has there. This shares no code with the run's own fold.
 */
export class StretchAccount {
  readonly #table: TableAsRead;
  #plan: readonly PlannedRange[] = [];
  #pass = 0;
  /** The part of each range that is not accepted yet, by id. */
  readonly #rests = new Map<string, Rest>();
  /** Which task has the range now. */
  readonly #tasks = new Map<string, string>();
  #accepted: Rest[] = [];

  constructor(table: TableAsRead) {
    this.#table = table;
  }

  note(events: readonly RunEvent[]): void {
    for (const event of events) this.#note(event);
  }

  #note(event: RunEvent): void {
    switch (event.type) {
      case 'planned':
        this.#plan = event.ranges;
        return requireWhole(event.ranges.map(restOf));
      case 'pass_opened':
        return this.#open(event.pass);
      case 'target_lost':
        this.#rests.clear();
        return;
      case 'assigned':
        this.#tasks.set(event.range, event.task);
        return;
      case 'settled':
        return this.#settle(event);
      case 'cut':
        return this.#cut(event.range, BigInt(event.at), event.rest);
      case 'phase_finished':
        if (event.phase === 'reindex') this.#requireAll();
        return;
      default:
    }
  }

  #open({ number: pass, reads }: Pass): void {
    const numbers = reads.kind === 'planned' ? null : reads.numbers;
    if (pass <= this.#pass) throw new Violation(`pass ${pass} is opened after pass ${this.#pass}`);
    this.#pass = pass;
    this.#rests.clear();
    this.#accepted = [];
    for (const range of this.#plan)
      if (numbers === null || numbers.includes(range.number))
        this.#rests.set(`p${pass}-${range.number}`, restOf(range));
  }

  #settle(event: SettledEvent): void {
    const rest = this.#rests.get(event.range);
    if (rest === undefined || this.#tasks.get(event.range) !== event.task)
      throw new Violation(`${event.task} settles range ${event.range}, which it does not have`);
    const done = event.outcome === 'done';
    const through = event.through === null ? null : BigInt(event.through);
    if (!done && through === null) {
      if (event.counts.rowsRead > 0) throw new Violation(`${event.task} counts rows and settles none`);
      return;
    }
    const end = done ? rest.end : (through ?? 0n) + 1n;
    if (through !== null && !isIn(through, rest))
      throw new Violation(`${event.task} settles through ${through}, outside of ${words(rest)}`);
    this.#accept({ start: rest.start, end }, event);
    if (done) this.#rests.delete(event.range);
    else this.#rests.set(event.range, { start: end, end: rest.end });
  }

  #accept(stretch: Rest, { task, counts }: SettledEvent): void {
    const other = this.#accepted.find((known) => overlap(known, stretch));
    if (other !== undefined)
      throw new Violation(`${task} settles ${words(stretch)}, of which ${words(other)} was settled before`);
    this.#accepted.push(stretch);
    const rows = this.#table.rowsIn(stretch);
    if (rows !== null && rows !== counts.rowsRead)
      throw new Violation(
        `${task} counts ${counts.rowsRead} rows in ${words(stretch)}, the table has ${rows}`,
      );
  }

  #cut(range: string, at: bigint, restId: string): void {
    const rest = this.#rests.get(range);
    if (rest === undefined || !isIn(at, rest))
      throw new Violation(`range ${range} is cut at ${at}, outside of it`);
    this.#rests.set(range, { start: rest.start, end: at });
    this.#rests.set(restId, { start: at, end: rest.end });
  }

  #requireAll(): void {
    if (this.#rests.size > 0)
      throw new Violation(`reindex ends, and ${[...this.#rests.keys()].join(', ')} is not settled`);
    requireWhole(this.#accepted);
  }
}

/** @throws Violation unless the stretches together hold every possible key exactly once */
function requireWhole(stretches: readonly Rest[]): void {
  const inOrder = [...stretches].sort((a, b) =>
    a.start === null ? -1 : b.start === null ? 1 : a.start < b.start ? -1 : 1,
  );
  let at: bigint | null = null;
  for (const { start, end } of inOrder) {
    if (start !== at) throw new Violation(`nothing covers the keys from ${at} to ${start}`);
    at = end;
  }
  if (inOrder.length === 0 || at !== null) throw new Violation(`nothing covers the keys from ${at} on`);
}

function restOf({ start, end }: PlannedRange): Rest {
  return { start: start === null ? null : BigInt(start), end: end === null ? null : BigInt(end) };
}

function isIn(key: bigint, { start, end }: Rest): boolean {
  return (start === null || key >= start) && (end === null || key < end);
}

function overlap(a: Rest, b: Rest): boolean {
  const aBefore = a.end !== null && b.start !== null && a.end <= b.start;
  const bBefore = b.end !== null && a.start !== null && b.end <= a.start;
  return !aBefore && !bBefore;
}

function words({ start, end }: Rest): string {
  return `[${start ?? '…'}, ${end ?? '…'})`;
}
