import { answerWords } from '../../definition/answer-words.ts';
import { ClusterError } from './cluster-error.ts';

interface AnyAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Whether something else than the cluster answered, such as a gateway with a page. Every answer of a cluster is JSON. A
 * page with status 200 would look like an empty answer, and one with 404 like an index that does not exist.
 */
export function isForeign({ status, text }: AnyAnswer): boolean {
  return (status < 400 || status === 404) && !/^\s*[[{]/.test(text);
}

/** Makes the error for such an answer. It is no answer, so the call is made again. */
export function foreignAnswer(where: string, call: string, { status, text }: AnyAnswer): ClusterError {
  return new ClusterError(
    0,
    'foreign_answer',
    `search cluster at ${where}: ${call} was answered with status ${status}, but not as OpenSearch or Elasticsearch answers: ${answerWords(text) ?? 'an empty body'}. Something stands between: check what answers at target.url`,
  );
}
