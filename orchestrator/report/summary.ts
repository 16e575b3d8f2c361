import type { CommandContext, CommandResult } from '../command/command.ts';
import type { Cost } from '../plan/cost.ts';
import type { RunState } from '../reconcile/state.ts';
import type { SourceConnections } from '../run/connections.ts';
import { messageOf } from '../errors.ts';
import { countWords, durationWords, moneyWords, plural } from './words.ts';

/** The last line of a command that left the run unfinished on purpose: one phase by name. */
export function begunResult(state: RunState): CommandResult {
  const phases = Object.entries(state.phases).filter(([, phase]) => phase.finishedAt !== null);
  return {
    status: 'unfinished',
    run_key: state.identity?.runKey,
    run: state.identity?.run,
    phases_done: phases.map(([phase]) => phase),
  };
}

/** What a finished run did, where the time went, and a query that a person can try, with its answer. */
export async function showSummary(
  context: CommandContext,
  state: RunState,
  connections: SourceConnections,
): Promise<void> {
  const { reporter } = context;
  for (const line of summaryLines(state.result ?? {}, connections.services?.seconds ?? null))
    reporter.note(line);
  await showQuery(context, state.identity?.alias ?? '', connections);
}

/** Pure: the figures of a result as lines for a person. */
function summaryLines(result: CommandResult, servicesSeconds: number | null): string[] {
  const figure = (name: string): number => Number(result[name] ?? 0);
  const outcomes = [
    `${countWords(figure('indexed'))} indexed`,
    `${countWords(figure('filtered'))} filtered`,
    `${countWords(figure('superseded'))} superseded`,
    plural(figure('dead_letters'), 'dead letter'),
    plural(figure('retries'), 'retry', 'retries'),
  ];
  const previous = result.previous_indexes;
  const before =
    Array.isArray(previous) && previous.length > 0
      ? `, before ${previous.join(', ')} (\`reindex-fleet rollback\` moves it back)`
      : '';
  const spent = spentWords(result);
  const seconds = Object.entries((result.phase_seconds ?? {}) as Record<string, number>).filter(
    ([, value]) => value >= 0.05,
  );
  const services = servicesSeconds === null ? [] : [['services', servicesSeconds] as const];
  return [
    `rows   ${countWords(figure('rows'))} read: ${outcomes.join(', ')}`,
    `alias  ${String(result.alias)} serves ${String(result.index)}${before}`,
    ...(spent === null ? [] : [`cost   ${spent}`]),
    `time   ${[...services, ...seconds].map(([phase, value]) => `${phase} ${durationWords(value)}`).join(', ')}`,
  ];
}

/** What the fleet used and cost; null: nobody accounts for it. */
function spentWords({ instances, instance_seconds: seconds, cost }: CommandResult): string | null {
  if (instances == null) return null;
  const used = `${plural(Number(instances), 'instance')}, ${durationWords(Number(seconds))} billed together`;
  if (cost == null) return `${used} (price.per_hour says what they cost)`;
  const { exact, ...money } = cost as Cost;
  return `${exact ? '' : 'at most '}${moneyWords(money)} for ${used}`;
}

async function showQuery(
  { offline, reporter }: CommandContext,
  alias: string,
  connections: SourceConnections,
): Promise<void> {
  const { example_query: query } = offline.settings.report;
  if (query === null) return;
  const answer = await connections.cluster.search(alias, query).catch(messageOf);
  if (typeof answer === 'string')
    return reporter.warning(`the example query of the settings failed: ${answer}`);
  const { services } = connections;
  const kept =
    services?.startedHere === true
      ? '   (with `npm run services` in another terminal, which keeps both up)'
      : '';
  const where = connections.cluster.where;
  reporter.note(
    `try    curl -s '${where}/${alias}/_search?pretty' -H 'content-type: application/json' -d '${JSON.stringify(query)}'${kept}`,
  );
  reporter.note(
    `       ${plural(answer.total, 'document')} found, the first: ${answer.sources[0] ?? 'none'}`,
  );
}
