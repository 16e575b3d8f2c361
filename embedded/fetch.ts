import { cacheDirectory } from './cache.ts';
import { findOpensearchMeans } from './opensearch.ts';
import { fetchOpensearch, isFetched, OPENSEARCH_VERSION } from './opensearch-distribution.ts';

/**
 * Fetches the search node into the cache while npm still installs: it needs nothing but Node. Who starts the node waits
 * for this process. A failure is silent here, for then that process fetches it itself, and tells.
 */
async function main(): Promise<number> {
  process.umask(0o022); // the services may run as another user, who must be able to read what is made here
  const cacheDir = cacheDirectory(process.env);
  if (isFetched(cacheDir)) return 0;
  const means = await findOpensearchMeans(cacheDir, process.env);
  if ('missing' in means || means.maven === null) return 0;
  process.stderr.write(
    `reindex-fleet: OpenSearch ${OPENSEARCH_VERSION} is fetched by Maven meanwhile, 162 MB, this once.\n`,
  );
  return fetchOpensearch(means.maven, cacheDir).then(
    () => 0,
    () => 1,
  );
}

process.exitCode = await main();
