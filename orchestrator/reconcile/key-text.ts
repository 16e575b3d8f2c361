import { z } from 'zod';
import { isKeyText, KEY_FORMS } from '../../definition/key/kinds.ts';

/** A key as a text, as on the wire. Of which kind, the run's plan says. */
export const keyText = z.string().refine(isKeyText, { error: `a key is ${KEY_FORMS}` });
