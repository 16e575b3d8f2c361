import type { ClientBase } from 'pg';

/** A node of EXPLAIN (FORMAT JSON), with the parts that the checks look at. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Parent Relationship'?: string;
  readonly 'Relation Name'?: string;
  /** Only where VERBOSE asks for it. */
  readonly Schema?: string;
  readonly Alias?: string;
  readonly 'Index Cond'?: string;
  readonly 'Plan Rows': number;
  readonly Plans?: readonly PlanNode[];
}

/**
 * The planner's plan of a query. The query is not run.
 *
 * @param options further options of EXPLAIN, each with a comma behind it
 */
export async function planOf(client: ClientBase, query: string, options = ''): Promise<PlanNode> {
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `EXPLAIN (${options}FORMAT JSON) ${query}`,
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  if (plan === undefined) throw new Error('EXPLAIN gave no plan');
  return plan;
}

/**
 * Whether the SELECT list gives sets or uses window functions. These are nodes above the first join or scan. Such nodes
 * below it belong to joined subqueries, where they do no harm.
 */
export function evaluatesSets(root: PlanNode): boolean {
  for (let node: PlanNode | undefined = root; node !== undefined; node = onlyInput(node)) {
    if (node['Node Type'] === 'ProjectSet' || node['Node Type'] === 'WindowAgg') return true;
  }
  return false;
}

function onlyInput(node: PlanNode): PlanNode | undefined {
  const inputs = inputsOf(node);
  return inputs.length === 1 ? inputs[0] : undefined;
}

/**
 * Scans of the base table that do not search the index for `bound`, a bound of the key range as it is in the plan.
 * `alias` is the base table's alias (the planner numbers those of its partitions).
 */
export function scansWithoutBound(root: PlanNode, alias: string, bound: string): string[] {
  return allNodes(root)
    .filter((node) => node['Relation Name'] !== undefined && isBase(node.Alias ?? '', alias))
    .filter((node) => !usesBound(node, bound))
    .map((node) => `${node['Node Type']} on ${node['Relation Name']}`);
}

/** Whether any index is searched for `bound`. */
export function usesBound(root: PlanNode, bound: string): boolean {
  return allNodes(root).some((node) => node['Index Cond']?.includes(bound) === true);
}

function isBase(alias: string, base: string): boolean {
  return alias === base || (alias.startsWith(`${base}_`) && /^[0-9]+$/.test(alias.slice(base.length + 1)));
}

function allNodes(root: PlanNode): PlanNode[] {
  return [root, ...inputsOf(root).flatMap(allNodes)];
}

/** The inputs of a node. Subplans of expressions are not among them. */
function inputsOf(node: PlanNode): readonly PlanNode[] {
  return (node.Plans ?? []).filter(
    ({ 'Parent Relationship': parent }) => parent !== 'SubPlan' && parent !== 'InitPlan',
  );
}

/** How many rows the planner expects of a query. */
export async function estimatedRows(client: ClientBase, query: string): Promise<number> {
  return (await planOf(client, query))['Plan Rows'];
}

/** The parts of a node that are no expressions, but names and words of EXPLAIN's own. */
const NO_EXPRESSIONS = new Set([
  'Node Type',
  'Parent Relationship',
  'Relation Name',
  'Schema',
  'Alias',
  'Index Name',
  'Function Name',
  'CTE Name',
  'Subplan Name',
]);

/**
 * The SQL of all expressions that a query evaluates, as PostgreSQL itself writes it: those of its subqueries too, and of
 * views and SQL functions that are merged into it. Columns have the names of their relations. The plan needs VERBOSE.
 */
export function expressionsOf(root: PlanNode): string[] {
  const expressions = everyNode(root).flatMap((node) =>
    Object.entries(node).flatMap(([name, value]) => (NO_EXPRESSIONS.has(name) ? [] : textsIn(value))),
  );
  return [...new Set(expressions)];
}

function textsIn(value: unknown): string[] {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  return parts.filter((part) => typeof part === 'string');
}

/** The relations that a query reads, with the names that its expressions have for them. The plan needs VERBOSE. */
export function relationsOf(root: PlanNode): (Relation & { readonly alias: string })[] {
  return everyNode(root).flatMap(({ Schema: schema, 'Relation Name': name, Alias: alias }) =>
    schema === undefined || name === undefined ? [] : [{ schema, name, alias: alias ?? name }],
  );
}

export interface Relation {
  readonly schema: string;
  readonly name: string;
}

/** Every table that a query reads, also in its subqueries, and behind views and partitions. */
export async function relationsIn(client: ClientBase, query: string): Promise<Relation[]> {
  return relationsOf(await planOf(client, query, 'VERBOSE, '));
}

/** All nodes, with the subplans of expressions. */
function everyNode(root: PlanNode): PlanNode[] {
  return [root, ...(root.Plans ?? []).flatMap(everyNode)];
}
