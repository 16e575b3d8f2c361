import { readAlias } from '../index/promote.ts';
import { previewRetention } from '../index/retain.ts';
import { claimHistory } from '../journal/claims.ts';
import { readRun } from '../journal/run-journal.ts';
import { accountingOf, expectedCost, type Money } from '../plan/cost.ts';
import { expectedSeconds, type MeasuredRate } from '../plan/estimate.ts';
import { type DefinitionPlan, planDefinition } from '../plan/plan.ts';
import { bytesWords, countWords, durationWords, moneyWords, plural } from '../report/words.ts';
import { outlookWarnings } from '../run/alias-outlook.ts';
import { checkAll } from '../run/check.ts';
import { sameDigests, unfinishedClaim } from '../run/choose-run.ts';
import { connectBoth } from '../run/connections.ts';
import type { CommandContext, CommandResult } from './command.ts';

/**
 * Shows what a run would do: rows, ranges, size, time, where the alias points, and which indexes it would keep and
 * delete. It writes nothing.
 */
export async function planCommand(context: CommandContext): Promise<CommandResult> {
  const { offline, reporter, flags } = context;
  const { settings, loaded, store } = offline;
  const connections = await connectBoth(offline, reporter, 'asking');
  try {
    const { inspected: plan, warnings } = await checkAll(
      offline,
      connections,
      { workers: context.workers, underLock: false },
      (client) =>
        planDefinition(client, loaded, {
          workers: settings.workers.count,
          ranges: settings.ranges.count,
          exact: flags.exact === true,
        }),
    );
    for (const warning of [...warnings, ...plan.warnings]) reporter.warning(warning);
    const { alias, retain } = loaded.definition;
    const serves = (await readAlias(connections.cluster, alias)).map(({ index }) => index);
    const wanted = { alias, fleet: settings.fleet, foreign: false };
    for (const warning of await outlookWarnings(connections.cluster, wanted, store))
      reporter.warning(warning);
    const claim = await unfinishedClaim(store);
    const { kept, deleted } = await previewRetention(connections.cluster, {
      alias,
      fleet: settings.fleet,
      claimedRun: claim?.run ?? null,
      retain,
    });
    const seconds = expectedSeconds(
      { rows: plan.rows.count, workers: settings.workers.count },
      await lastRate(context),
    );
    const accounting = accountingOf(settings);
    const result = {
      status: 'planned',
      definition: loaded.definition.name,
      alias,
      rows: plan.rows.count,
      rows_exact: plan.rows.exact,
      ranges: plan.ranges.length,
      workers: settings.workers.count,
      bytes_per_row: plan.bytesPerRow,
      expected_bytes: plan.expectedBytes,
      changed_at_unusable: plan.unusableChangedAt?.count ?? null,
      changed_at_unusable_exact: plan.unusableChangedAt?.exact ?? null,
      warnings: plan.warnings,
      expected_seconds: seconds,
      expected_cost: expectedCost(accounting, settings.workers.count, seconds),
      alias_serves: serves,
      would_keep: kept,
      would_delete: deleted,
      held_by: claim?.runKey ?? null,
    };
    for (const line of planLines(plan, result, accounting !== null)) reporter.note(line);
    return result;
  } finally {
    await connections.close();
  }
}

interface PlanFigures {
  readonly alias: string;
  readonly workers: number;
  readonly expected_seconds: number | null;
  readonly expected_cost: Money | null;
  readonly alias_serves: readonly string[];
  readonly would_keep: readonly string[];
  readonly would_delete: readonly string[];
  readonly held_by: string | null;
}

function planLines(plan: DefinitionPlan, figures: PlanFigures, isAccountedFor: boolean): string[] {
  const names = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(', '));
  return [
    `rows       ${plan.rows.exact ? '' : 'about '}${countWords(plan.rows.count)}${plan.rows.exact ? '' : ' (--exact counts them)'}`,
    `ranges     ${countWords(plan.ranges.length)} for ${plural(figures.workers, 'worker')}`,
    `size       ${plan.expectedBytes === null ? 'unknown' : `about ${bytesWords(plan.expectedBytes)} to the cluster`}`,
    `time       ${figures.expected_seconds === null ? 'unknown: no run of this definition has finished yet' : `about ${durationWords(figures.expected_seconds)}, at the last run’s rate`}`,
    ...(isAccountedFor ? [`cost       ${costWords(figures)}`] : []),
    `alias      ${figures.alias} serves ${names(figures.alias_serves)}`,
    `would keep ${names(figures.would_keep)}`,
    `and delete ${names(figures.would_delete)}`,
    ...(figures.held_by === null
      ? []
      : [`the unfinished run ${figures.held_by} holds the fleet; \`reindex-fleet run\` carries it on`]),
  ];
}

function costWords({ workers, expected_cost: cost, expected_seconds: seconds }: PlanFigures): string {
  if (cost !== null) return `about ${moneyWords(cost)} for ${plural(workers, 'instance')}`;
  return seconds === null
    ? 'unknown, because the time is unknown'
    : 'unknown: set price.per_hour to what an instance costs';
}

/** The rate of the newest finished run with the same definition. */
async function lastRate({ offline }: CommandContext): Promise<MeasuredRate | null> {
  for (const claim of await claimHistory(offline.store)) {
    if (claim.ended !== 'finished' || !sameDigests(claim, [offline.definitionDigest])) continue;
    const { result } = (await readRun(offline.store, claim.folder)).state;
    if (result === null) continue;
    const { rows, documents_per_second: rate, workers, boot_seconds: bootSeconds } = result;
    if (rate !== null && rate > 0 && workers !== null && workers > 0)
      return { rows, rowsPerSecond: rate, workers, bootSeconds: bootSeconds ?? 0 };
  }
  return null;
}
