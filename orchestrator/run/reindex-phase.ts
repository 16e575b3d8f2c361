import { beginPass, resumePass } from '../passes/conduct-pass.ts';
import { totalOf } from '../reconcile/counts.ts';
import { countWords, plural } from '../report/words.ts';
import type { RunContext } from './context.ts';
import type { PhaseOutcome } from './phase-outcome.ts';

/** Works the main pass: every planned range is read once. */
export async function reindexPhase(context: RunContext): Promise<PhaseOutcome<'reindex'>> {
  const { journal, identity } = context;
  const report =
    journal.state.pass === null
      ? await beginPass(context, {
          kind: 'main',
          reads: { kind: 'planned' },
          targets: identity.targets.map(({ index }) => index),
          workers: 'fleet',
        })
      : await resumePass(context);
  const { counts } = journal.state;
  const rate = Math.round(report.rowsPerSecond(journal.state));
  const deadLetters = totalOf(counts, 'deadLetters');
  const dead = deadLetters === 0 ? '' : `, ${plural(deadLetters, 'dead letter')}`;
  return {
    record: {
      counts,
      documents_per_second: rate,
      workers: context.offline.settings.workers.count,
      boot_seconds: report.bootSeconds,
    },
    note: `${plural(counts.rowsRead, 'row')} read, ${countWords(totalOf(counts, 'indexed'))} indexed${dead} (${countWords(rate)} documents/s)`,
  };
}
