import type { ClientBase } from 'pg';
import type { Path } from '../../definition/yaml-file.ts';
import { expressionsOf, type PlanNode } from './explain.ts';
import type { Inspection } from './inspection.ts';
import { attempt } from './transaction.ts';
import { calledNames, type UnsteadyCall, unsteadyCallsIn } from './unsteady-calls.ts';

/** How far functions that call functions are followed. */
const DEPTH = 3;

/**
 * Warns of calls whose answers depend on the time of day, chance or the session, wherever they stand: in the expression,
 * in a join or a view that it reads, or in the body of a function. Whether such an answer changes during the run cannot be
 * known here. Values that change at once are refused (see `asked-again.ts`).
 */
export async function warnOfUnsteadyCalls(
  inspection: Inspection,
  { path, sql }: { readonly path: Path; readonly sql: string },
  plan: PlanNode,
): Promise<void> {
  const texts = [sql, ...expressionsOf(plan)].join('\n;\n');
  const calls = [...unsteadyCallsIn(texts), ...(await callsInBodies(inspection.client, texts, DEPTH))];
  const named = calls.map(({ name, dependsOn }) => `${name} (${dependsOn})`);
  if (named.length === 0) return;
  const isField = path[0] === 'document';
  inspection.warn(
    path,
    `This, or a join, a view or a function that it reads, calls ${[...new Set(named)].join(', ')}. If the answer changes before the index is proved, the index is refused. ` +
      (isField
        ? 'Compute the value from columns, or write the field as a map with compare: false, so that validation leaves it out.'
        : 'Compare with a constant or a column.'),
  );
}

/** Looks into the bodies of functions that are no part of PostgreSQL. */
async function callsInBodies(client: ClientBase, sql: string, depth: number): Promise<UnsteadyCall[]> {
  const names = calledNames(sql);
  if (depth === 0 || names.length === 0) return [];
  const { result } = await attempt<{ name: string; body: string }>(client, BODIES, [names]);
  const found: UnsteadyCall[] = [];
  for (const { name, body } of result?.rows ?? []) {
    const inside = [
      ...unsteadyCallsIn(body),
      ...(calledNames(body).includes(name) ? [] : await callsInBodies(client, body, depth - 1)),
    ];
    found.push(...inside.map((call) => ({ ...call, name: `${name}(), which calls ${call.name}` })));
  }
  return found;
}

const BODIES = `
  SELECT proname AS name, CASE WHEN prosrc = '' THEN pg_get_functiondef(p.oid) ELSE prosrc END AS body
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = prolang
  WHERE proname = ANY ($1) AND prokind = 'f' AND lanname NOT IN ('internal', 'c')
    AND nspname NOT IN ('pg_catalog', 'information_schema')
  LIMIT 50`;
