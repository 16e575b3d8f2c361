import { z } from 'zod';
import type { SinkKind } from '../../sinks/sink.ts';

const clientSchema = z.enum(['elasticsearch', 'opensearch']);
const documentsSchema = z.enum(['json', 'rows']);

/** What a JavaScript peer is told in its environment, as JSON in `BENCH_ORDER`. */
export const orderSchema = z.strictObject({
  database_url: z.string(),
  search_url: z.string(),
  index: z.string(),
  query: z.string(),
  client: clientSchema,
  documents: documentsSchema,
});

export type ClientName = z.infer<typeof clientSchema>;
/** Who makes the documents: PostgreSQL as JSON, or JavaScript out of rows. */
export type DocumentsWay = z.infer<typeof documentsSchema>;

/** Which client cannot write to which kind of sink, and why. */
export const REFUSALS: Readonly<Record<ClientName, Partial<Record<SinkKind, string>>>> = {
  elasticsearch: {
    opensearch:
      '@elastic/elasticsearch refuses any server that is not Elasticsearch (ProductNotSupportedError), and its media types are unknown to OpenSearch',
  },
  opensearch: {},
};
