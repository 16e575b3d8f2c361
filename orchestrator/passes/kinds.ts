import { mainPass } from './main/main-pass.ts';
import type { PassKindName } from './pass.ts';
import type { PassKind } from './pass-kind.ts';
import { reReading } from './re-reading/re-reading.ts';

/** Every kind of pass. */
export const PASS_KINDS: Readonly<Record<PassKindName, PassKind>> = {
  main: mainPass,
  're-reading': reReading,
};
