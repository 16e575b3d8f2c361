import { withoutTexts } from './sql-texts.ts';

/**
 * Calls in SQL that say another thing at another time or in another session, so that what a worker reads and what
 * validation reads may differ. The SQL is what EXPLAIN writes, or the body of a function. Pure.
 */

/** A call, and what its answer depends on. */
export interface UnsteadyCall {
  readonly name: string;
  readonly dependsOn: Dependency;
}

type Dependency = 'the time of day' | 'chance' | 'the session';

/** Functions that depend on the moment, on chance or on the session. Source: PostgreSQL's manual, "Functions and Operators". */
const NAMES: Readonly<Record<Dependency, readonly string[]>> = {
  'the time of day': [
    'now',
    'transaction_timestamp',
    'statement_timestamp',
    'clock_timestamp',
    'timeofday',
    'pg_postmaster_start_time',
    'pg_last_xact_replay_timestamp',
  ],
  chance: [
    'random',
    'random_normal',
    'gen_random_uuid',
    'gen_random_bytes',
    'uuidv4',
    'uuidv7',
    'uuid_generate_v1',
    'uuid_generate_v1mc',
    'uuid_generate_v4',
    'gen_salt',
    'array_shuffle',
    'array_sample',
    'nextval',
    'currval',
    'lastval',
  ],
  'the session': [
    'pg_backend_pid',
    'current_setting',
    'inet_client_addr',
    'inet_client_port',
    'inet_server_addr',
    'txid_current',
    'txid_current_if_assigned',
    'txid_current_snapshot',
    'pg_current_xact_id',
    'pg_current_snapshot',
    'pg_is_in_recovery',
    'pg_current_wal_lsn',
    'pg_last_wal_replay_lsn',
  ],
};
const DEPENDENCIES: ReadonlyMap<string, Dependency> = new Map(
  (Object.keys(NAMES) as Dependency[]).flatMap((dependency) =>
    NAMES[dependency].map((name) => [name, dependency] as const),
  ),
);

const TIME_WORDS = /(?<![\w$."])(?:current_(?:date|time|timestamp)|localtime(?:stamp)?)(?![\w$"])/gi;
const SESSION_WORDS = /(?<![\w$."])(?:current_user|session_user|current_role|system_user)(?![\w$"])/gi;
/** Constants that PostgreSQL turns into a time when it reads the statement. */
const TIME_CONSTANTS =
  /'\s*(?:now|today|tomorrow|yesterday)\s*'\s*\)?\s*::\s*(?:date|time)|\b(?:date|time|timestamp|timestamptz)\s+'\s*(?:now|today|tomorrow|yesterday)\s*'/gi;
const COMMENTS = /--[^\n]*|\/\*[\s\S]*?\*\//g;
const CALLS = /(?<![\w$."])((?:[a-z_][\w$]*|"(?:[^"]|"")+")(?:\.(?:[a-z_][\w$]*|"(?:[^"]|"")+"))?)\s*\(/gi;

/** The calls in a text of SQL whose answers may differ. Each is named once. */
export function unsteadyCallsIn(sql: string): UnsteadyCall[] {
  const constants = [...sql.matchAll(TIME_CONSTANTS)].map(([found]): UnsteadyCall => ofTime(found));
  const bare = withoutCommentsAndTexts(sql);
  const found = [
    ...constants,
    ...[...bare.matchAll(TIME_WORDS)].map(([word]) => ofTime(word.toUpperCase())),
    ...[...bare.matchAll(SESSION_WORDS)].map(
      ([word]): UnsteadyCall => ({ name: word.toUpperCase(), dependsOn: 'the session' }),
    ),
    ...callsIn(sql).flatMap(({ name, isUnary }): UnsteadyCall[] => {
      if (name === 'age' && isUnary) return [ofTime('age() with one argument')];
      const dependsOn = DEPENDENCIES.get(name);
      return dependsOn === undefined ? [] : [{ name: `${name}()`, dependsOn }];
    }),
  ];
  return [...new Map(found.map((call) => [call.name, call])).values()];
}

/** The functions that a text of SQL calls, by their names without a schema. */
export function calledNames(sql: string): string[] {
  return [...new Set(callsIn(sql).map(({ name }) => name))];
}

function ofTime(name: string): UnsteadyCall {
  return { name, dependsOn: 'the time of day' };
}

function callsIn(sql: string): { name: string; isUnary: boolean }[] {
  const bare = withoutCommentsAndTexts(sql);
  return [...bare.matchAll(CALLS)].map((match) => {
    const written = match[1]?.split('.').at(-1) ?? '';
    const name = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written.toLowerCase();
    return { name, isUnary: isUnary(bare, match.index + match[0].length) };
  });
}

/** Whether the arguments that begin at `from` are one. */
function isUnary(sql: string, from: number): boolean {
  let depth = 1;
  for (let at = from; at < sql.length && depth > 0; at++) {
    const letter = sql[at];
    if (letter === '(') depth += 1;
    else if (letter === ')') depth -= 1;
    else if (letter === ',' && depth === 1) return false;
  }
  return true;
}

function withoutCommentsAndTexts(sql: string): string {
  return withoutTexts(sql.replaceAll(COMMENTS, ' '));
}
