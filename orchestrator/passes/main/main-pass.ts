import type { PassKind } from '../pass-kind.ts';

/** Reads the whole table into empty targets. There is nothing to prepare. */
export const mainPass: PassKind = { prepare: () => Promise.resolve() };
