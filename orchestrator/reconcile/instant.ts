import { z } from 'zod';

/** A moment of the wall clock in ISO 8601. It is for records, never for decisions on time-outs. */
export const instant = z.iso.datetime({ offset: true });
