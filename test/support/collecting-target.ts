import type { Key } from '../../definition/key/key-kind.ts';
import type { DeadLetter } from '../../worker/dead-letter.ts';
import type { Batch } from '../../worker/targets/batch.ts';
import type { BatchShare } from '../../worker/targets/batch-pool.ts';
import type { TargetCounts } from '../../worker/targets/settlement.ts';
import { NOTHING_IN_FLIGHT } from '../../worker/targets/in-flight.ts';
import type { Framing, Target } from '../../worker/targets/target.ts';

const NEWLINE = 0x0a;

/** A target that keeps all documents, one on each line, with nothing around them. */
export class CollectingTarget implements Target {
  readonly share: BatchShare;
  readonly framing: Framing = {
    mostBytes: 1,
    begin: (_row, _target, position) => position,
    end: (target, position) => {
      target[position] = NEWLINE;
      return position + 1;
    },
    faultOf: () => {
      throw new Error('every row is usable');
    },
  };
  readonly documents: string[] = [];
  readonly keys: Key[] = [];
  readonly letters: DeadLetter[] = [];
  readonly retries = 0;
  readonly waiting = false;
  readonly trouble = null;
  readonly inFlight = NOTHING_IN_FLIGHT;
  bytesSent = 0;
  batches = 0;
  /** Awaited before a batch is delivered. */
  before: (batch: Batch) => Promise<void> = () => Promise.resolve();

  constructor(share: BatchShare) {
    this.share = share;
  }

  async deliver(batch: Batch): Promise<TargetCounts> {
    await this.before(batch);
    for (let i = 0; i < batch.items; i++) {
      const line = batch.buffer.toString('utf8', batch.itemStart(i), batch.itemEnd(i));
      if (!line.endsWith('}\n')) throw new Error(`not a line: ${JSON.stringify(line)}`);
      this.documents.push(line.slice(0, -1));
      this.keys.push(batch.keys.at(i));
    }
    this.letters.push(...batch.deadLetters);
    this.batches++;
    this.bytesSent += batch.length;
    return {
      indexed: batch.items,
      superseded: 0,
      filtered: batch.filtered,
      deadLetters: batch.deadLetters.length,
    };
  }
}
