import { readFileSync, writeFileSync } from 'node:fs';
import { withTables } from './settings-page.ts';

/** `npm run docs:settings`: makes the tables of `docs/settings.md` anew. */

const page = new URL('../settings.md', import.meta.url);
writeFileSync(page, withTables(readFileSync(page, 'utf8')));
