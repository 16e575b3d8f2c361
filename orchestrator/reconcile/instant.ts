import { z } from 'zod';

/** A moment of the wall's clock, ISO 8601: for records, never for decisions on time-outs. */
export const instant = z.iso.datetime({ offset: true });
