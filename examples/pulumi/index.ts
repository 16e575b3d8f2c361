/**
 * A Pulumi program of your own that imports reindex-fleet: a network, then staging and production beside each other, each a
 * database and a fleet that rebuilds its search index.
 *
 * Once, in the clone of reindex-fleet: `node bootstrap.mjs`, which installs the packages that its components need. Then
 * copy this folder to where you want it, let `reindex-fleet` in package.json be the path of the clone, and:
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
 * - npm makes `node_modules/reindex-fleet` a link to the clone. Node looks at where it leads, which is why it runs the
 *   clone's TypeScript: below a real node_modules it would not. So no `--install-links`, `--preserve-symlinks` or packing.
 * - Node 24 has to be the first `node` on PATH, for Pulumi runs programs with that one.
 * - Program and clone have an @pulumi/pulumi each. They share what they must: outputs, mocks and the engine's address are
 *   the process's. Keep @pulumi/aws at the clone's version, or Pulumi downloads two of that provider's plugins.
 */
import { prepareFleet } from 'reindex-fleet/infra';
import { shop } from './shop.ts';

/** What it returns are the stack's outputs: the settings of an orchestrator, by environment. */
export default () => shop(prepareFleet);
