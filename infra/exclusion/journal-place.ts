import type { BucketJournal } from '../../orchestrator/journal/s3-place.ts';
import type { Names } from '../names.ts';

/**
 * Where a fleet's journal is. Resources carry this place as a tag. So a deployment that renames the fleet or moves its journal
 * looks for runs at the old place too.
 */

const JOURNAL_TAG = 'reindex-fleet:journal';

/** `bucket/prefix/fleet`. */
export function journalText({ bucket, prefix, fleet }: BucketJournal): string {
  return `${bucket}/${prefix}/${fleet}`;
}

/** The tag of group and bucket that names the journal's place. */
export function journalTag(names: Names): Readonly<Record<string, string>> {
  return { [JOURNAL_TAG]: journalText(journalOf(names)) };
}

export function journalOf({ bucket, journalPrefix: prefix, fleet }: Names): BucketJournal {
  return { bucket, prefix, fleet };
}

/**
 * Reads the journal's place from a resource as it was: from a fleet's own input, or from a tag. Tags are a map, or the list of
 * an Auto Scaling group. Null: the resource names no place.
 *
 * @param inputs as the engine has them
 */
export function journalIn(inputs: Readonly<Record<string, unknown>> | undefined): BucketJournal | null {
  const { journal, tags } = inputs ?? {};
  return parse(journal) ?? parse(tagIn(tags));
}

function tagIn(tags: unknown): unknown {
  if (Array.isArray(tags))
    return tags.find((tag: { readonly key?: unknown }) => tag.key === JOURNAL_TAG)?.value;
  return typeof tags === 'object' && tags !== null ? Reflect.get(tags, JOURNAL_TAG) : undefined;
}

function parse(text: unknown): BucketJournal | null {
  const [, bucket, prefix, fleet] =
    /^([^/]+)\/(.+)\/([^/]+)$/.exec(typeof text === 'string' ? text : '') ?? [];
  return bucket === undefined || prefix === undefined || fleet === undefined
    ? null
    : { bucket, prefix, fleet };
}
