/**
 * The entry that Pulumi starts: `pulumi preview --policy-pack infra/policies`. JavaScript, for Pulumi would compile an entry
 * in TypeScript by an older compiler; what it imports Node runs by itself.
 */
import { PolicyPack } from '@pulumi/policy';
import { policies } from './policies.ts';

new PolicyPack('reindex-fleet', { policies, enforcementLevel: 'mandatory' });
