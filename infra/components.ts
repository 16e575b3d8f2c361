/** What a Pulumi program of your own imports: `import { prepareFleet, ReindexFleet } from 'reindex-fleet/infra'`. */
export { type Prepared, prepareFleet } from './prepare.ts';
export { ReindexFleet, type ReindexFleetArgs } from './reindex-fleet.ts';
export type { StackInput } from './settings/schema.ts';
