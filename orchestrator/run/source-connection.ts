import pg from 'pg';
import { messageOf, Unreachable } from '../errors.ts';
import type { UseClient } from '../index/source-query.ts';

/** The issue of a start is known within this time, so a person need not wait to be told of a wrong address. */
const CONNECT_TIMEOUT_MS = 4_000;

/** Where the rows come from, with everything that connecting needs. `url` may hold a password: never print it. */
export interface SourceAddress {
  readonly url: string;
  readonly password: string | null;
  /** Which parameter of the workers the password is from. */
  readonly passwordParameter?: string;
}

/** The URL with the password in it, for a worker's environment. */
export function urlWithPassword(address: SourceAddress): string {
  if (address.password === null) return address.url;
  const url = new URL(address.url);
  url.password = encodeURIComponent(address.password);
  return url.href;
}

/** `host:port/database`, for messages. */
function describeSource(address: SourceAddress): string {
  const { hostname, port, pathname } = new URL(address.url);
  return `${hostname === '' ? 'localhost' : hostname}:${port === '' ? '5432' : port}${pathname}`;
}

/** As the driver understands a URL, its defaults and variables (PGUSER, PGPASSWORD, …) included. `words`: user and server. */
export function databaseServer(url: string): { readonly words: string; readonly password: string | null } {
  const bare = new URL(url);
  // The driver reads them at once, and they may be on other machines.
  for (const file of ['sslrootcert', 'sslcert', 'sslkey']) bare.searchParams.delete(file);
  const { user, host, port, password } = new pg.Client({ connectionString: bare.href });
  return { words: `${user}@${host.toLowerCase()}:${port}`, password: password ?? null };
}

/** Connects or says, within seconds, what is wrong with which database and what to do. */
export async function connectSource(address: SourceAddress): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(address));
  // A connection that breaks while idle is noticed by the next query; without a listener it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw new Unreachable(explain(address, error), { cause: error });
  }
}

/** Connections that are kept between uses. One that breaks while it is used is not used again. */
export interface SourcePool {
  readonly use: UseClient;
  /** When nothing uses them any more. */
  close(): Promise<void>;
}

/** Connects when there is something to do, at most `size` times at once. */
export function openSourcePool(address: SourceAddress, size: number): SourcePool {
  const pool = new pg.Pool({ ...clientConfig(address), max: size });
  // As above: one that breaks while idle, or between two queries, is noticed by the next.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    use: async (work) => {
      const client = await pool.connect().catch((error: unknown) => {
        throw new Unreachable(explain(address, error), { cause: error });
      });
      let broken = true;
      try {
        const result = await work(client);
        broken = false;
        return result;
      } finally {
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

function clientConfig(address: SourceAddress): pg.ClientConfig {
  return {
    connectionString: urlWithPassword(address),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'reindex-fleet',
    keepAlive: true,
  };
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const WRONG_PASSWORD = '28P01';

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start the database, or mend source.url',
  ENOTFOUND: 'there is no such host: mend source.url',
  EAI_AGAIN: 'the host name cannot be looked up now',
  [WRONG_PASSWORD]: 'the password is wrong: set REINDEX_SOURCE_PASSWORD, or mend source.url',
  '28000': 'this user may not connect: mend source.url or the server’s pg_hba.conf',
  '3D000': 'mend the database’s name in source.url',
  '42501': 'this user lacks the permission: grant CONNECT on the database',
  '53300': 'the server has no connection free',
  '57P03': 'the server is starting up or shutting down: try again',
};

function explain(address: SourceAddress, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const noPassword = messageOf(error).includes('client password must be a string');
  const { passwordParameter: parameter } = address;
  const advice = noPassword
    ? 'it wants a password: set REINDEX_SOURCE_PASSWORD'
    : code === WRONG_PASSWORD && parameter !== undefined
      ? `the password in the parameter ${parameter} is wrong: mend it, or set REINDEX_SOURCE_PASSWORD`
      : (ADVICE[code] ?? 'check source.url and that the database can be reached from here');
  return `PostgreSQL at ${describeSource(address)}: ${messageOf(error)} (${advice})`;
}
