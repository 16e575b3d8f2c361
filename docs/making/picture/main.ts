import { writeFileSync } from 'node:fs';
import { recordRun } from './record-run.ts';
import { pictureOf } from './picture-of.ts';

/** `npm run docs:picture`: runs `npm run reindex` in a pseudo terminal and draws `docs/run.svg` from what it shows. */

writeFileSync(new URL('../../run.svg', import.meta.url), pictureOf(await recordRun()));
