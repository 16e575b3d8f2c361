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

export interface Relation {
  readonly schema: string;
  readonly name: string;
}

/** Every table that a query reads, also in its subqueries, and behind views and partitions. */
export async function relationsIn(client: ClientBase, query: string): Promise<Relation[]> {
  const nodes = everyNode(await planOf(client, query, 'VERBOSE, '));
  return nodes.flatMap(({ Schema: schema, 'Relation Name': name }) =>
    schema === undefined || name === undefined ? [] : [{ schema, name }],
  );
}

/** All nodes, with the subplans of expressions. */
function everyNode(root: PlanNode): PlanNode[] {
  return [root, ...(root.Plans ?? []).flatMap(everyNode)];
}
