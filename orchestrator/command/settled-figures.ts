import { countsIn } from '../reconcile/counts.ts';
import { passesOf, rangeCounts, type RunState } from '../reconcile/state.ts';
import { countWords, plural } from '../report/words.ts';
import type { CommandResult } from './command.ts';

/**
 * What has become of the rows. Once the index is proven, these are the figures of the index, however often its rows were
 * read. Before, they are those of the pass that reads now or read last.
 */
export function settledFigures(state: RunState): CommandResult {
  const proven = provenIn(state);
  if (proven !== null) {
    const { retries, bytesSent } = state.totals;
    return {
      rows: proven[0]?.rows ?? 0,
      bytes_sent: bytesSent,
      retries,
      targets: proven.map(({ index, documents, filtered, dead_letters }) => ({
        index,
        indexed: documents,
        superseded: passesOf(state).reduce((sum, { counts }) => sum + countsIn(counts, index).superseded, 0),
        filtered,
        dead_letters,
      })),
    };
  }
  const { rowsRead, bytesSent, retries, targets } = state.counts;
  return {
    rows: rowsRead,
    bytes_sent: bytesSent,
    retries,
    targets: targets.map(({ index, indexed, superseded, filtered, deadLetters }) => ({
      index,
      indexed,
      superseded,
      filtered,
      dead_letters: deadLetters,
    })),
  };
}

/** The same for a person, in lines. Empty before there are ranges. */
export function settledLines(state: RunState): string[] {
  const proven = provenIn(state);
  if (proven !== null)
    return proven.map(
      ({ index, rows, documents, filtered, dead_letters }) =>
        `proven ${plural(rows, 'row')}: ${plural(documents, 'document')} in ${index}, ${countWords(filtered)} filtered, ${plural(dead_letters, 'dead letter')}`,
    );
  const { done, total } = rangeCounts(state);
  if (total === 0) return [];
  const isAgain = passesOf(state).length > 1;
  const settled = `${plural(state.counts.rowsRead, 'row')} settled${isAgain ? ', which are read again' : ''}`;
  return [`ranges ${done} of ${total} done, ${settled}`];
}

/** What the last proof that came to its end says of each index. Null while there is none. */
function provenIn({ phases }: RunState) {
  const { record = null, finishedAt = null } = phases.validate ?? {};
  return finishedAt === null ? null : (record?.targets ?? null);
}
