import { type Names, namesOf } from '../names.ts';
import { ownsImageParameter } from '../parameters/image-parameter.ts';
import type { Place } from '../place.ts';
import type { StackSettings } from './schema.ts';

export function namesOfFleet({ fleet, image, journal }: StackSettings, place: Place): Names {
  return namesOf(
    {
      fleet,
      bucket: journal.bucket,
      journalPrefix: journal.prefix,
      imageParameter: ownsImageParameter(image) ? null : image,
    },
    place,
  );
}
