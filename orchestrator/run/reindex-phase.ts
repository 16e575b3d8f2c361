import { beginPass, resumePass } from '../passes/conduct-pass.ts';
import { totalOf } from '../reconcile/counts.ts';
import type { PassReport } from '../report/pass-report.ts';
import { countWords, plural } from '../report/words.ts';
import { takeCutoff } from './changed-rows.ts';
import type { RunContext } from './context.ts';
import type { PhaseOutcome } from './phase-outcome.ts';

/** Works the main pass: every planned range is read once. */
export async function reindexPhase(context: RunContext): Promise<PhaseOutcome<'reindex'>> {
  const { journal } = context;
  const report = journal.state.pass === null ? await beginMainPass(context) : await resumePass(context);
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

/** The cutoff is taken before anything is read. */
async function beginMainPass(context: RunContext): Promise<PassReport> {
  const cutoff = await takeCutoff(context);
  return beginPass(context, {
    kind: 'main',
    reads: { kind: 'planned' },
    targets: context.identity.targets.map(({ index }) => index),
    workers: 'fleet',
    ...(cutoff === null ? {} : { cutoff }),
  });
}
