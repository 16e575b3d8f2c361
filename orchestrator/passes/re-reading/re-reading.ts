import { rangeFrom } from '../../../definition/key/key-range.ts';
import { clearRanges } from '../../index/clear-ranges.ts';
import { keyKindOfRun } from '../../reconcile/state.ts';
import { targetsOf } from '../pass-targets.ts';
import type { PassKind } from '../pass-kind.ts';

/**
 * Reads ranges again that did not validate, into the same targets. The ranges start empty there. So no row that has
 * left the table stays, and no document of a row that is a dead letter now.
 */
export const reReading: PassKind = {
  prepare: async (context, pass) => {
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
