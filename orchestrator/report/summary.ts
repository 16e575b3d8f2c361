import type { CommandContext, CommandResult } from '../command/command.ts';
import type { RunState } from '../reconcile/state.ts';
import type { SourceConnections } from '../run/session.ts';
import { countWords, durationWords } from './words.ts';

/** The last line of a command that left the run unfinished on purpose: one phase by name. */
export function begunResult(state: RunState): CommandResult {
  const phases = Object.entries(state.phases).filter(([, phase]) => phase.finishedAt !== null);
  return { status: 'unfinished', run_key: state.identity?.runKey, run: state.identity?.run, phases_done: phases.map(([phase]) => phase) };
}

/** What a finished run did, and a query that a person can try, with its answer. */
export async function showSummary({ offline, reporter }: CommandContext, state: RunState, connections: SourceConnections): Promise<void> {
  const result = state.result ?? {};
  const seconds = Object.entries((result.phase_seconds ?? {}) as Record<string, number>);
  reporter.note(`time went to ${seconds.map(([phase, value]) => `${phase} ${durationWords(value)}`).join(', ')}`);
  const { example_query: query } = offline.settings.report;
  const alias = state.identity?.alias;
  if (query === null || alias === undefined) return;
  const answer = await connections.cluster.search(alias, query);
  reporter.note(`try: curl -s '${connections.targetUrl}/${alias}/_search?pretty' -H 'content-type: application/json' -d '${JSON.stringify(query)}'`, {
    total: answer.total,
  });
  reporter.note(`     ${countWords(answer.total)} found, the first: ${answer.sources[0] ?? 'none'}`);
}
