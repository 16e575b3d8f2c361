import { rangeFrom } from '../../../definition/key/key-range.ts';
import { clearRanges } from '../../index/clear-ranges.ts';
import { keyKindOfRun } from '../../reconcile/state.ts';
import { targetsOf } from '../pass-targets.ts';
import type { PassKind } from '../pass-kind.ts';
import { clearChanged } from './clear-changed.ts';

/**
 * Reads ranges again that did not validate, or rows that have changed since they were read, into the same targets. What
 * is read again starts empty there. So no row that has left the table stays, and no document of a row that is a dead
 * letter now.
 */
export const reReading: PassKind = {
  prepare: async (context, pass) => {
    if (pass.reads.kind === 'changed-since') return clearChanged(context, pass);
    const { journal, clock, signal, reporter } = context;
    const onWait = (words: string): void => reporter.note(words);
    const { cluster } = context.connections;
    const kind = keyKindOfRun(journal.state);
    const ranges = journal.state.order.map((range) => rangeFrom(kind, range));
    for (const target of targetsOf(context, pass))
      await clearRanges({
        cluster,
        described: target.described,
        names: target,
        ranges,
        clock,
        signal,
        onWait,
      });
  },
};
