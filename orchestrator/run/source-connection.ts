import pg from 'pg';
import { messageOf, Unreachable } from '../errors.ts';
import type { UseClient } from '../index/source-query.ts';

/** A connection succeeds or fails within this time, so that a person soon learns of a wrong address. */
const CONNECT_TIMEOUT_MS = 4_000;

/** The address of the database, with everything that a connection needs. `url` may hold a password: never print it. */
export interface SourceAddress {
  readonly url: string;
  readonly password: string | null;
  /** The workers' parameter that the password comes from. */
  readonly passwordParameter?: string;
}

/** The URL with its password, for a worker's environment. */
export function urlWithPassword(address: SourceAddress): string {
  if (address.password === null) return address.url;
  const url = new URL(address.url);
  url.password = encodeURIComponent(address.password);
  return url.href;
}

/** Gives `host:port/database`, for messages. */
function describeSource(address: SourceAddress): string {
  const { hostname, port, pathname } = new URL(address.url);
  return `${hostname === '' ? 'localhost' : hostname}:${port === '' ? '5432' : port}${pathname}`;
}

/**
 * Reads a URL as the driver does, with its defaults and variables (PGUSER, PGPASSWORD, …). `words` are user and server.
 */
export function databaseServer(url: string): { readonly words: string; readonly password: string | null } {
  const bare = new URL(url);
  // The driver would read these files at once, and they may be on other machines.
  for (const file of ['sslrootcert', 'sslcert', 'sslkey']) bare.searchParams.delete(file);
  const { user, host, port, password } = new pg.Client({ connectionString: bare.href });
  return { words: `${user}@${host.toLowerCase()}:${port}`, password: password ?? null };
}

/** Connects. Otherwise it says within seconds what is wrong with which database, and what to do. */
export async function connectSource(address: SourceAddress): Promise<pg.Client> {
  const client = new pg.Client(clientConfig(address));
  // The next query notices a connection that breaks while idle. Without a listener it would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw new Unreachable(explain(address, error), { cause: error });
  }
}

/** Connections that are kept between uses. A connection that breaks in use is not used again. */
export interface SourcePool {
  readonly use: UseClient;
  /** Closes the connections once nothing uses them any more. */
  close(): Promise<void>;
}

/** Opens connections when there is something to do, at most `size` at once. */
export function openSourcePool(address: SourceAddress, size: number): SourcePool {
  const pool = new pg.Pool({ ...clientConfig(address), max: size });
  // As above: the next query notices a connection that breaks while idle or between two queries.
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
  ECONNREFUSED: 'nothing listens there: start the database, or correct source.url',
  ENOTFOUND: 'this host does not exist: correct source.url',
  EAI_AGAIN: 'the host name cannot be looked up now: try again, or check this machine’s DNS',
  [WRONG_PASSWORD]: 'the password is wrong: set REINDEX_SOURCE_PASSWORD, or correct source.url',
  '28000': 'this user may not connect: correct source.url or the server’s pg_hba.conf',
  '3D000': 'correct the database’s name in source.url',
  '42501': 'this user lacks the permission: grant CONNECT on the database',
  '53300': 'the server has no free connection: end others, or raise max_connections',
  '57P03': 'the server is starting up or shutting down: try again',
};

function explain(address: SourceAddress, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const noPassword = messageOf(error).includes('client password must be a string');
  const { passwordParameter: parameter } = address;
  const advice = noPassword
    ? 'it wants a password: set REINDEX_SOURCE_PASSWORD'
    : code === WRONG_PASSWORD && parameter !== undefined
      ? `the password in the parameter ${parameter} is wrong: correct it, or set REINDEX_SOURCE_PASSWORD`
      : (ADVICE[code] ?? 'check source.url and that the database can be reached from here');
  return `PostgreSQL at ${describeSource(address)}: ${messageOf(error)} (${advice})`;
}
