import { type Client, DatabaseError } from 'pg';
import type { IndexDefinition } from '../../definition/definition.ts';
import { type Key, keyFrom, type KeyKind } from '../../definition/key/key-kind.ts';
import { keyKindOf } from '../../definition/key/kinds.ts';
import { readingColumns } from '../../definition/reading.ts';
import { copyStatement, keptStatement, keyBoundsStatement, nextKeysStatement } from '../../definition/sql.ts';
import { upTo } from './position.ts';
import type { DescribedReading } from './read-request.ts';

/**
 * Looks closely at a row that broke a COPY alone: whether it breaks again, which field of it breaks, and whether other rows
 * do not. It works in the caller's transaction.
 */

/** How many other rows are tried, spread over the table's keys. */
const CONTROLS = 8;
/** So many of them must fail, and none succeed, before the fault is said to be every row's. */
const FAILING_CONTROLS = 2;

export interface Examination {
  /** `sound`: this time the row does not break. `every row`: so do all others that were tried. */
  readonly found: 'row' | 'every row' | 'sound';
  /** The field that breaks. Null: a condition, a join or changed_at breaks, or no field alone. */
  readonly field: string | null;
  /** Which conditions of the reading hold for the row; null: it has none, or they break too. */
  readonly kept: readonly boolean[] | null;
}

/** @param proven whether rows are known not to break in this way, so that no others are tried */
export async function examineRow(
  client: Client,
  described: DescribedReading,
  key: Key,
  proven: boolean,
): Promise<Examination> {
  const rows = new TriedRows(client, described);
  if ((await rows.faultOf(key)) === null) return { found: 'sound', field: null, kept: null };
  if (!proven && (await everyRowFails(rows, key))) return { found: 'every row', field: null, kept: null };
  return { found: 'row', field: await rows.faultyField(key), kept: await rows.keptBy(key) };
}

async function everyRowFails(rows: TriedRows, suspect: Key): Promise<boolean> {
  let failing = 0;
  for (const key of await rows.controls()) {
    if (key === suspect) continue;
    if ((await rows.faultOf(key)) !== null) failing++;
    // Of a row that no target keeps no field is evaluated, so it shows nothing.
    else if ((await rows.keptBy(key))?.every((kept) => !kept) !== true) return false;
  }
  return failing >= FAILING_CONTROLS;
}

class TriedRows {
  readonly #client: Client;
  readonly #described: DescribedReading;
  readonly #definition: IndexDefinition;
  readonly #targets: readonly IndexDefinition[];
  readonly #kind: KeyKind;

  constructor(client: Client, described: DescribedReading) {
    this.#client = client;
    this.#described = described;
    this.#definition = described.reading.definition;
    this.#targets = described.targets.map(({ definition }) => definition);
    this.#kind = keyKindOf(this.#definition);
  }

  /** How the row of a key breaks; null: it does not. */
  faultOf(key: Key): Promise<DatabaseError | null> {
    return this.#faultIn(key, this.#targets);
  }

  async faultyField(key: Key): Promise<string | null> {
    if ((await this.#faultIn(key, this.#targetsWith([]))) !== null) return null;
    for (const { name } of this.#definition.document) {
      if ((await this.#faultIn(key, this.#targetsWith([name]))) !== null) return name;
    }
    return null;
  }

  async keptBy(key: Key): Promise<readonly boolean[] | null> {
    const [first, ...others] = readingColumns(this.#described.reading, this.#targets).wheres;
    if (first === undefined) return null;
    const text = keptStatement(this.#definition, this.#only(key), [first, ...others]);
    let kept: readonly boolean[] | null = null;
    await this.#attempt(async () => {
      kept = (await this.#client.query<boolean[]>({ text, rowMode: 'array' })).rows[0] ?? null;
    });
    return kept;
  }

  /** Keys of rows that are spread over the table. */
  async controls(): Promise<readonly Key[]> {
    const { rows } = await this.#client.query<{ least: string | null; greatest: string | null }>(
      keyBoundsStatement(this.#definition),
    );
    const { least = null, greatest = null } = rows[0] ?? {};
    if (least === null || greatest === null) return [];
    const [min, max] = [keyFrom(this.#kind, least), keyFrom(this.#kind, greatest)];
    const keys = new Set<Key>([min, max]);
    for (let i = 1; i < CONTROLS - 1; i++) {
      const start = this.#kind.between(min, max, i / (CONTROLS - 1)) ?? min;
      const next = await this.#client.query<{ last_key: string | null }>(
        nextKeysStatement(this.#definition, { start, end: null }, 1),
      );
      const key = next.rows[0]?.last_key ?? null;
      if (key !== null) keys.add(keyFrom(this.#kind, key));
    }
    return [...keys];
  }

  #faultIn(key: Key, targets: readonly IndexDefinition[]): Promise<DatabaseError | null> {
    const statement = copyStatement(this.#described.reading, this.#only(key), targets);
    // Nobody listens to what the COPY sends: the driver drops it.
    return this.#attempt(async () => void (await this.#client.query(statement)));
  }

  /** Gives the error with which the database refused to do it; the transaction stands as before. */
  async #attempt(work: () => Promise<void>): Promise<DatabaseError | null> {
    await this.#client.query('SAVEPOINT attempt');
    try {
      await work();
      return null;
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      return error;
    } finally {
      await this.#client.query('ROLLBACK TO SAVEPOINT attempt');
    }
  }

  #targetsWith(names: readonly string[]): IndexDefinition[] {
    return this.#targets.map((target) => ({
      ...target,
      document: target.document.filter(({ name }) => names.includes(name)),
    }));
  }

  #only(key: Key) {
    return upTo(this.#kind, { start: key, end: null }, key);
  }
}
