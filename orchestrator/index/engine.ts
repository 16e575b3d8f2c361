import { signedRequestsAdvice } from '../../definition/signed-requests.ts';
import { ClusterError, read, refusal } from './cluster-error.ts';
import { unseenWords } from './look.ts';

/** What a cluster says of itself. */
export interface Engine {
  /** The product and its version, e.g. `OpenSearch 3.6.0`. Null where nobody may look. */
  readonly version: string | null;
  /** Sentences about what a person should know of it. */
  readonly warnings: readonly string[];
}

/** Elasticsearch before 7.10 lacks the write block call and `require_alias`. OpenSearch began after it. */
const OLDEST_ELASTICSEARCH: readonly [number, number] = [7, 10];
/** The answers of a cluster that keeps to itself what it is. */
const UNSEEN = new Set([401, 403, 404, 405, 410]);

/**
 * Reads the answer to `GET /`. A run needs nothing of it, so an answer that is forbidden is a warning.
 *
 * @throws ClusterError when a service answers that no run can work with
 */
export function engineOf(where: string, status: number, body: unknown): Engine {
  if (status === 200) return { version: versionOf(body, where), warnings: flavorWarnings(body) };
  const error = refusal(`search cluster at ${where}`, status, body);
  const isForbidden = status === 401 || status === 403;
  const isJson = typeof body === 'object' && body !== null;
  // Every call to such a service would be refused alike. And a page with 404 is no search cluster.
  if (!UNSEEN.has(status) || (!isForbidden && !isJson) || signedRequestsAdvice(error.message) !== null)
    throw error;
  const unseen = unseenWords('the version of the search cluster', refusal('GET /', status, body));
  return { version: null, warnings: [unseen, ...serverlessWarnings(error.message)] };
}

function versionOf(answer: unknown, where: string): string {
  const version = read(answer, 'version');
  const number = read(version, 'number');
  if (typeof number !== 'string')
    throw new ClusterError(
      200,
      'no_search_cluster',
      `${where} answers, but not as OpenSearch or Elasticsearch: correct target.url`,
      { move: 'mend-and-repeat' },
    );
  const distribution = read(version, 'distribution');
  if (distribution === 'opensearch') return `OpenSearch ${number}`;
  if (typeof distribution === 'string') return `${distribution} ${number}`;
  const [major = 0, minor = 0] = number.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_ELASTICSEARCH;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new ClusterError(
      200,
      'too_old',
      `${where} is Elasticsearch ${number}, which cannot block writes or require an alias: use ${oldestMajor}.${oldestMinor} or later`,
      { move: 'mend-and-repeat' },
    );
  }
  return `Elasticsearch ${number}`;
}

function flavorWarnings(answer: unknown): readonly string[] {
  const flavor = read(read(answer, 'version'), 'build_flavor');
  return typeof flavor === 'string' ? serverlessWarnings(flavor) : [];
}

/** A serverless service decides on shards, replicas and refreshes itself, and knows no calls about the cluster. */
function serverlessWarnings(words: string): readonly string[] {
  if (!/serverless/i.test(words)) return [];
  return [
    'this is a serverless cluster, which decides on shards, replicas and refreshes itself and shows nothing of its nodes. Runs are not tried with such clusters. If it refuses a setting of the new index, use a cluster of your own nodes.',
  ];
}
