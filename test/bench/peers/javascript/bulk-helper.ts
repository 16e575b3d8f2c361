import type { Readable } from 'node:stream';
import type { ClientName } from './order.ts';

/** What a helper makes of one row: the action, and the document as a value or as JSON. */
export type ActionOf = (row: Row) => [{ index: { _index: string; _id: string } }, Row | string];
export type Row = Readonly<Record<string, unknown>>;

/** Writes all rows with a client's own helper at its own defaults; how many it says were written. */
export type BulkHelper = (rows: Readable, actionOf: ActionOf) => Promise<number>;

/** Loads a client, the one that is wanted alone, and gives its helper. */
export const BULK_HELPERS: Readonly<Record<ClientName, (url: string) => Promise<BulkHelper>>> = {
  elasticsearch: async (node) => {
    const { Client } = await import('@elastic/elasticsearch');
    const client = new Client({ node });
    return async (datasource, actionOf) => {
      const { failed, aborted, successful } = await client.helpers.bulk<Row>({
        datasource,
        onDocument: actionOf,
      });
      return whole({ failed, aborted, successful });
    };
  },
  opensearch: async (node) => {
    const { Client } = await import('@opensearch-project/opensearch');
    const client = new Client({ node });
    return async (datasource, actionOf) => {
      const { failed, aborted, successful } = await client.helpers.bulk<Row>({
        datasource,
        // The helper takes a document that is a text as JSON; its types do not say so.
        onDocument: (row) => actionOf(row) as [{ index: { _index: string; _id: string } }, Row],
      });
      return whole({ failed, aborted, successful });
    };
  },
};

function whole(stats: { failed: number; aborted: boolean; successful: number }): number {
  if (stats.failed > 0 || stats.aborted)
    throw new Error(`helpers.bulk gave up ${stats.failed} documents, aborted: ${stats.aborted}`);
  return stats.successful;
}
