import type { CommandContext, CommandResult } from '../command/command.ts';
import { isPhaseDone, PHASE_NAMES } from '../reconcile/phases.ts';
import type { RunResult, TargetResult } from '../reconcile/run-result.ts';
import type { RunState } from '../reconcile/state.ts';
import type { SourceConnections } from '../run/connections.ts';
import { messageOf } from '../errors.ts';
import { countWords, durationWords, moneyWords, plural } from './words.ts';

/** The last line of a command for one phase, which leaves the run unfinished on purpose. */
export function begunResult(state: RunState): CommandResult {
  return {
    status: 'unfinished',
    run_key: state.identity?.runKey,
    run: state.identity?.run,
    phases_done: PHASE_NAMES.filter((phase) => isPhaseDone(state.phases, phase)),
  };
}

/** Shows what a finished run did, where the time went, and a query that a person can try, with its answer. */
export async function showSummary(
  context: CommandContext,
  state: RunState,
  connections: SourceConnections,
): Promise<void> {
  const { reporter } = context;
  const { result } = state;
  if (result === null) return;
  for (const line of summaryLines(result, connections.services?.seconds ?? null)) reporter.note(line);
  for (const { alias } of result.targets) await showQuery(context, alias, connections);
}

/** The figures of a result as lines for a person. Pure. */
function summaryLines(result: RunResult, servicesSeconds: number | null): string[] {
  const total = (name: 'indexed' | 'filtered' | 'superseded' | 'dead_letters'): number =>
    result.targets.reduce((sum, target) => sum + target[name], 0);
  const outcomes = [
    `${countWords(total('indexed'))} indexed`,
    `${countWords(total('filtered'))} filtered`,
    `${countWords(total('superseded'))} superseded`,
    plural(total('dead_letters'), 'dead letter'),
    plural(result.retries, 'retry', 'retries'),
  ];
  const aliases = result.targets.map(({ alias, index, previous_indexes: previous }) => {
    const before =
      previous.length > 0 ? `, before ${previous.join(', ')} (\`reindex-fleet rollback\` moves it back)` : '';
    return `alias  ${alias} serves ${index}${before}`;
  });
  const spent = spentWords(result);
  const seconds = Object.entries(result.phase_seconds).filter(([, value]) => value >= 0.05);
  const services = servicesSeconds === null ? [] : [['services', servicesSeconds] as const];
  return [
    `rows   ${countWords(result.rows)} read: ${outcomes.join(', ')}`,
    ...result.targets.flatMap(againLines),
    ...aliases,
    ...(spent === null ? [] : [`cost   ${spent}`]),
    `time   ${[...services, ...seconds].map(([phase, value]) => `${phase} ${durationWords(value)}`).join(', ')}`,
  ];
}

/** What was read again, and what is old in the index. Nothing where there is none. */
function againLines({ index, read_again: again, stale }: TargetResult): string[] {
  const ranges = again.ranges === null ? '' : ` in ${plural(again.ranges, 'range')}`;
  const passes = again.passes === null ? '' : `, in ${plural(again.passes, 'more pass', 'more passes')}`;
  return [
    ...(again.rows === 0 && (again.passes ?? 0) === 0
      ? []
      : [`again  ${plural(again.rows, 'row')}${ranges} read again${passes}`]),
    ...(stale?.rows == null || stale.rows === 0
      ? []
      : [`stale  ${plural(stale.rows, 'row')} of ${index} changed after they were read`]),
    ...(stale?.remark === undefined ? [] : [`note   ${stale.remark}`]),
  ];
}

/** What the fleet used and cost. Null when nobody accounts for it. */
function spentWords({ instances, instance_seconds: seconds, cost }: RunResult): string | null {
  if (instances === null) return null;
  const used = `${plural(instances, 'instance')}, ${durationWords(seconds ?? 0)} billed together`;
  if (cost === null) return `${used} (set price.per_hour to see the cost)`;
  const { exact, ...money } = cost;
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
    return reporter.warning(`the example query in the settings failed: ${answer}`);
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
