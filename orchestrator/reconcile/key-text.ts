import { z } from 'zod';
import { isKeyText, KEY_FORMS } from '../../definition/key/kinds.ts';

/** A key as a text, as on the wire. The run's plan says which kind of key it is. */
export const keyText = z.string().refine(isKeyText, { error: `a key is ${KEY_FORMS}` });
