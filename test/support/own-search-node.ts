import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory } from '../../embedded/cache.ts';
import { findOpensearchMeans, startOpensearch } from '../../embedded/opensearch.ts';

export interface OwnSearchNode {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts an OpenSearch node that nobody else uses, with empty data. Settings of a whole cluster would disturb everybody
 * on a node that is shared. OpenSearch must be in the cache.
 *
 * @throws Error with what the machine lacks for it
 */
export async function startOwnSearchNode(): Promise<OwnSearchNode> {
  const cacheDir = cacheDirectory(process.env);
  const means = await findOpensearchMeans(cacheDir, process.env);
  if ('missing' in means) throw new Error(`${means.missing}.`);
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-own-node-'));
  await chmod(folder, 0o755); // The node may run as another user.
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const node = await startOpensearch({ cacheDir, dataDir: join(folder, 'opensearch'), java: means.java });
    return {
      url: node.url,
      stop: async () => {
        await node.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
