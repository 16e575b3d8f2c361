/** Every fault that may happen in a virtual world. Each is counted when it happens, so that none goes untried. */
export const FAULTS = [
  'worker never boots',
  'worker of another build',
  'worker dies in mid-range',
  'worker hangs with an open socket',
  'worker paused past its lease',
  'worker paused for a moment',
  'worker answers at another address',
  'worker takes back what it said',
  'worker counts what it never sent',
  'worker is drained',
  'worker has a task that nobody knows',
  'worker is slow',
  'machine outlives its end',
  'fleet call is lost',
  'fleet call takes effect and times out',
  'fleet call is refused',
  'fleet calls are throttled',
  'view of the fleet is stale',
  'capacity runs out',
  'cloud gives fewer than asked for',
  'image parameter moves',
  'spot instance is taken back',
  'instance of another run is there',
  'call to a worker is lost',
  'call to a worker takes effect and times out',
  'bulk waits long and lands late',
  'bulk takes effect and times out',
  'cluster refuses bulks for minutes',
  'cluster is down for minutes',
  'cluster call is lost',
  'cluster call takes effect and times out',
  'index turns red',
  'index is lost',
  'documents vanish',
  'keys are NULL',
  'alias has properties',
  'table is emptied',
  'cluster indexes less than it stores',
  'person looks long before the promotion',
  'clean-up is refused',
  'cluster is busy for minutes',
  'database is down for a while',
  'rows are inserted',
  'rows are deleted',
  'rows change after they were read',
  'journal says conflict to the winner',
  'journal write takes effect and times out',
  'journal write is lost',
  'journal cannot be written for a while',
  'clocks differ',
  'orchestrator killed between two calls',
  'orchestrator killed in a call',
  'orchestrator paused past its lease',
  'orchestrator paused for a moment',
  'orchestrator interrupted',
  'orchestrator started twice',
  'another run key',
  'two fleets on one alias',
  'phases one by one',
  'run abandoned',
  'run never resumed',
  'sweep',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Counts how often each fault has happened. */
export class FaultCounts {
  readonly counts = new Map<Fault, number>();

  note(fault: Fault): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
  }

  add(other: ReadonlyMap<Fault, number> | readonly (readonly [Fault, number])[]): void {
    for (const [fault, count] of other) this.counts.set(fault, (this.counts.get(fault) ?? 0) + count);
  }
}
