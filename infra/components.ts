/** What a Pulumi program of your own imports: `import { ReindexFleet } from 'reindex-fleet/infra'`. */
export { bundleSweeper } from './sweeper/bundle.ts';
export { type Place, readPlace } from './place.ts';
export { ReindexFleet, type ReindexFleetArgs } from './reindex-fleet.ts';
