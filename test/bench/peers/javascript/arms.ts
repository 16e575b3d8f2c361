import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { INDEX } from '../../sinks/sink.ts';
import type { Arm, Work } from '../arm.ts';
import { startPeer } from '../peer-process.ts';
import { jsonDocuments, plainRows } from '../queries.ts';
import { type ClientName, type DocumentsWay, REFUSALS } from './order.ts';

const SCRIPT = fileURLToPath(new URL('main.ts', import.meta.url));
const WAYS: Readonly<Record<DocumentsWay, { words: string; query: (work: Work) => string }>> = {
  json: { words: 'JSON made by PostgreSQL', query: jsonDocuments },
  rows: { words: 'rows made into documents in JavaScript', query: plainRows },
};
const PACKAGES: Readonly<Record<ClientName, string>> = {
  elasticsearch: '@elastic/elasticsearch',
  opensearch: '@opensearch-project/opensearch',
};

/** `helpers.bulk` of both JavaScript clients over `pg-query-stream`, in both ways to make documents. */
export const JAVASCRIPT_ARMS: readonly Arm[] = [
  armOf('elasticsearch', 'json'),
  armOf('elasticsearch', 'rows'),
  armOf('opensearch', 'json'),
  armOf('opensearch', 'rows'),
];

function armOf(client: ClientName, documents: DocumentsWay): Arm {
  const { words, query } = WAYS[documents];
  return {
    name: `${client}-js-${documents}`,
    family: 'JavaScript',
    way: `helpers.bulk of ${PACKAGES[client]} over pg-query-stream, ${words}`,
    refusal: (sink) => REFUSALS[client][sink] ?? null,
    start: async (work) => {
      const order = {
        database_url: work.databaseUrl,
        search_url: work.sinkUrl,
        index: INDEX,
        query: query(work),
        client,
        documents,
      };
      // As our worker has it.
      const environment = { NODE_COMPILE_CACHE: getCompileCacheDir() ?? '' };
      return await startPeer([process.execPath, SCRIPT], order, environment);
    },
  };
}
