import { text } from '../setting-types.ts';
import { folderPlace } from './folder-place.ts';
import type { JournalPlace } from './place.ts';
import { s3Place } from './s3-place.ts';

/** Every kind of place that a journal may be in, except a folder. A new kind is added here, with its scheme. */
const PLACES: readonly JournalPlace[] = [s3Place];

/** The scheme is what stands before `://`. A path of a folder has none. */
function schemeOf(url: string): string | null {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase() ?? null;
}

/** The place that a journal's URL names. */
export function placeOf(url: string): JournalPlace {
  const scheme = schemeOf(url);
  return PLACES.find((place) => place.scheme === scheme) ?? folderPlace;
}

/** The setting `journal.url`. */
export const journalUrl = text.superRefine((url, context) => {
  const scheme = schemeOf(url);
  const place = placeOf(url);
  const unknown =
    scheme === place.scheme
      ? null
      : `A journal cannot be in ${scheme}://: write ${['a folder', ...PLACES.map(({ form }) => form)].join(' or ')}.`;
  const message = unknown ?? place.faultIn(url);
  if (message !== null) context.addIssue({ code: 'custom', message });
});
