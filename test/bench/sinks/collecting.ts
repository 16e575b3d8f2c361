import { once } from 'node:events';
import { startBulkServer } from './bulk-server.ts';

/** A sink that keeps each document as it came, by its `_id`. */
export interface CollectingSink {
  readonly url: string;
  readonly documents: ReadonlyMap<string, string>;
  stop(): Promise<void>;
}

/** Starts a collecting sink in this process. */
export async function startCollectingSink(): Promise<CollectingSink> {
  const documents = new Map<string, string>();
  const { url, server } = await startBulkServer(
    ({ id, documentStart, documentEnd }, body) =>
      documents.set(id, body.toString('utf8', documentStart, documentEnd)),
    () => ({ documents: documents.size }),
  );
  return {
    url,
    documents,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
