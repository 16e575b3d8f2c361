import pRetry from 'p-retry';
import { z } from 'zod';
import { useServices } from '../../../embedded/services.ts';
import { ClusterError } from '../../../orchestrator/index/cluster-error.ts';
import { SearchCluster } from '../../../orchestrator/index/cluster.ts';
import { deadLetterBody, targetBody } from '../../../orchestrator/index/mapping.ts';
import { DEAD_LETTER_ALIAS, INDEX, type Sink, WRITE_ALIAS } from './sink.ts';

const countSchema = z.object({ count: z.number() });
const DEAD_LETTER_INDEX = 'bench-dead-letters';
const BUILD_TIMEOUT_MS = 120_000;
/** An arm that asks too much can leave the node's memory full until its next collection. */
const BUSY_TIMEOUT_MS = 120_000;

const patiently = <Result>(call: () => Promise<Result>): Promise<Result> =>
  pRetry(call, {
    retries: Number.POSITIVE_INFINITY,
    maxTimeout: 5_000,
    maxRetryTime: BUSY_TIMEOUT_MS,
    shouldRetry: ({ error }) => error instanceof ClusterError && error.move === 'try-again',
  });

export interface OpensearchSinkOptions {
  readonly cacheDir: string;
  /** Where the node keeps its indexes. */
  readonly dataDir: string;
}

/** Starts a real OpenSearch node, or gives the sentence that says why this machine cannot have it. */
export async function startOpensearchSink({
  cacheDir,
  dataDir,
}: OpensearchSinkOptions): Promise<Sink | { readonly missing: string }> {
  const services = await useServices({
    cacheDir,
    dataDir,
    database: false,
    search: true,
    onProgress: console.log,
  });
  const { searchUrl, searchNode, searchMissing } = services;
  if (searchUrl === null || searchMissing !== null) {
    await services.stop();
    return { missing: searchMissing ?? 'OpenSearch did not start' };
  }
  const cluster = await SearchCluster.connect({
    url: searchUrl,
    username: null,
    password: null,
    apiKey: null,
  });
  return {
    kind: 'opensearch',
    name: `real ${searchNode}`,
    url: searchUrl,
    reset: async (described) => {
      for (const index of [INDEX, DEAD_LETTER_INDEX]) {
        await patiently(() => cluster.callOrNull('DELETE', `/${index}`));
      }
      // As a run makes them: one shard, no replica, no refresh, every field named.
      const origin = {
        fleet: 'bench',
        run: 'bench',
        runKey: 'bench',
        definitionDigest: 'bench',
        createdAt: new Date().toISOString(),
      };
      const create = async (index: string, alias: string, body: object): Promise<void> => {
        const options = { timeoutMs: BUILD_TIMEOUT_MS };
        const named = { ...body, aliases: { [alias]: {} } };
        await patiently(() => cluster.call('PUT', `/${index}`, named, options));
      };
      await create(INDEX, WRITE_ALIAS, targetBody(described, origin));
      await create(DEAD_LETTER_INDEX, DEAD_LETTER_ALIAS, deadLetterBody(described, origin));
    },
    documents: async () => {
      const options = { timeoutMs: BUILD_TIMEOUT_MS };
      await patiently(() => cluster.call('POST', `/${INDEX}/_refresh`, null, options));
      return countSchema.parse(await patiently(() => cluster.call('GET', `/${INDEX}/_count`))).count;
    },
    stop: async () => {
      await cluster.close();
      await services.stop();
    },
  };
}
