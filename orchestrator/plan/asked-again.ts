import type { ClientBase } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { baseFrom, qualifiedKey } from '../../definition/sql.ts';
import type { Path } from '../../definition/yaml-file.ts';
import type { SampledKey } from './ranges.ts';
import { someKeys } from './some-keys.ts';
import { attempt, inReadOnlyTransaction, type ReadOnlyWork } from './transaction.ts';

/** What is asked, and how often. */
const MOST = { rows: 40, bytes: 16 * 1024 * 1024 };
const TIMES = 3;
/** How many rows are asked one by one if one of them makes the statement fail. */
const SINGLE_ROWS = 10;

/** Something that a definition computes of each row. */
interface Column {
  readonly path: Path;
  readonly sql: string;
}

/**
 * Finds what a definition computes of its rows that is another value at each asking. It asks for some rows several times,
 * each time in a transaction of its own. A row that changed in between differs once, but not each time.
 */
export async function changingAtEachAsking(
  client: ClientBase,
  definition: IndexDefinition,
  { sample, work }: { readonly sample: readonly SampledKey[]; readonly work: ReadOnlyWork },
): Promise<Path[]> {
  const columns = columnsOf(definition);
  const asked = someKeys(keyKindOf(definition), sample, MOST);
  if (asked.length === 0 || columns.length === 0) return [];
  const answers: Answers[] = [];
  for (let time = 0; time < TIMES; time++)
    answers.push(
      await inReadOnlyTransaction(client, work, () => ask(client, { definition, columns }, asked)),
    );
  const [first, ...later] = answers;
  if (first === undefined) return [];
  const changing = columns.filter((_, i) => differsEachTime([first, ...later], i));
  // A field is null where the condition does not hold, and so it changes with the condition.
  const condition = changing.filter(({ sql }) => sql === definition.source.where);
  return (condition.length > 0 ? condition : changing).map(({ path }) => path);
}

/** By key, the digest of each column's value. */
type Answers = ReadonlyMap<string, readonly string[]>;

function differsEachTime(answers: readonly Answers[], column: number): boolean {
  const [first] = answers;
  return [...(first?.keys() ?? [])].some((key) => {
    const values = answers.map((answer) => answer.get(key)?.[column]);
    return values.every((value, i) => value !== undefined && (i === 0 || value !== values[i - 1]));
  });
}

function columnsOf({ source, document }: IndexDefinition): Column[] {
  const { where, changedAt } = source;
  return [
    ...(where === null ? [] : [{ path: ['source', 'where'], sql: where }]),
    ...(changedAt === null ? [] : [{ path: ['source', 'changed_at'], sql: changedAt }]),
    ...document
      .filter(({ compare }) => compare !== false)
      .map(({ name, sql }) => ({
        path: ['document', name, 'sql'],
        sql: where === null ? sql : keptOnly(where, sql),
      })),
  ];
}

/** A field of a row that the definition does not keep is never evaluated. */
function keptOnly(where: string, sql: string): string {
  return `CASE WHEN (\n${where}\n) THEN (\n${sql}\n) END`;
}

interface Asking {
  readonly definition: IndexDefinition;
  readonly columns: readonly Column[];
}

/** Rows that cannot be read are no part of the answers. */
async function ask(client: ClientBase, asking: Asking, keys: readonly string[]): Promise<Answers> {
  const statement = statementOf(asking);
  const { result } = await attempt<{ key: string; digests: string[] }>(client, statement, [keys]);
  if (result !== null) return new Map(result.rows.map(({ key, digests }) => [key, digests]));
  const answers = new Map<string, readonly string[]>();
  for (const key of keys.slice(0, SINGLE_ROWS)) {
    const single = await attempt<{ key: string; digests: string[] }>(client, statement, [[key]]);
    for (const row of single.result?.rows ?? []) answers.set(row.key, row.digests);
  }
  return answers;
}

function statementOf({ definition, columns }: Asking): string {
  const key = qualifiedKey(definition);
  const values = columns.map(({ sql }, i) => `(\n${sql}\n) AS asked_${i}`);
  const digests = columns.map(
    (_, i) => `hashtextextended(coalesce(to_json(asked.asked_${i})::text, ''), 0)::text`,
  );
  return `
    SELECT asked.asked_key AS key, ARRAY[${digests.join(', ')}] AS digests FROM (
      SELECT ${[`${key}::text AS asked_key`, ...values].join(',\n')}
      ${baseFrom(definition)}
      WHERE ${key} = ANY ($1::${keyKindOf(definition).sqlType}[])
    ) AS asked`;
}
