/**
 * A Pulumi program of your own that imports reindex-fleet. It makes a network, staging and production. Each of these two has a
 * database and a fleet that rebuilds its search index.
 *
 * Run `node bootstrap.mjs` once in the clone of reindex-fleet. It installs the packages that its components need. Then copy this
 * folder to where you want it, write the path of the clone as `reindex-fleet` in package.json, and run:
 *
 *     npm install
 *     pulumi stack init shop
 *     pulumi config set aws:region eu-central-1
 *     pulumi config set image ami-…
 *     pulumi config set --path staging.search_url https://search.staging.internal:9200
 *     pulumi config set --path production.search_url https://search.internal:9200
 *     pulumi config set --secret staging_password …
 *     pulumi config set --secret production_password …
 *     pulumi up --policy-pack node_modules/reindex-fleet/infra/policies
 *     pulumi stack output staging --json > …/clone/staging.yaml    # paths in it are relative to where it lies
 *
 * Then, in the clone: `npm run reindex-fleet -- run --settings staging.yaml`.
 *
 * - npm makes `node_modules/reindex-fleet` a link to the clone. Node follows the link, so it runs the clone's TypeScript. It
 *   would not run TypeScript below a real node_modules. So do not use `--install-links`, `--preserve-symlinks` or packing.
 * - Node 24 must be the first `node` on PATH, because Pulumi runs programs with that one.
 * - Program and clone each have their own @pulumi/pulumi. Both use the outputs, mocks and engine of the process. Keep
 *   @pulumi/aws at the clone's version. Otherwise Pulumi downloads two plugins of that provider.
 */
import { prepareFleet } from 'reindex-fleet/infra';
import { shop } from './shop.ts';

/** It returns the stack's outputs: the settings of an orchestrator, by environment. */
export default () => shop(prepareFleet);
