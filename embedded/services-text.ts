import type { DatabaseState, SearchState, ServicesState } from './keeper-protocol.ts';

/** A text for a person: what runs where, commands to try, and settings to write. It names the password's file, not the password. */
export function describeServices({ database, search }: ServicesState): string {
  return [...(search ? searchLines(search) : []), ...(database ? databaseLines(database) : [])].join('\n');
}

function searchLines({ url, node, missing }: SearchState): string[] {
  return [
    `Search: ${node} at ${url}`,
    ...(missing ? [`  ${missing}.`] : []),
    `  target: { url: "${url}" }`,
    `  curl '${url}/_cat/indices?format=json'`,
  ];
}

function databaseLines({ port, user, passwordFile, exampleUrl, url }: DatabaseState): string[] {
  const database = new URL(exampleUrl ?? url).pathname.slice(1);
  const secret = `"$(cat '${passwordFile}')"`;
  return [
    `Database: PostgreSQL at 127.0.0.1:${port}, database ${database}, user ${user}, password in ${passwordFile}`,
    `  source: { url: "postgres://${encodeURIComponent(user)}@127.0.0.1:${port}/${database}" }   # with REINDEX_SOURCE_PASSWORD=${secret}`,
    `  PGPASSWORD=${secret} psql -h 127.0.0.1 -p ${port} -U ${user} ${database}`,
  ];
}
