import type { Policies } from '@pulumi/policy';
import { fleetAtZero } from './at-zero.ts';
import { privateBuckets } from './buckets.ts';
import { noPublicIngress } from './ingress.ts';
import { noLaunching } from './launching.ts';
import { metadataWithToken } from './metadata.ts';
import { resourcePolicy, type Rule, type StackRule, stackPolicy } from './rule.ts';
import { secretParameters } from './secret-parameters.ts';
import { fleetTags } from './tags.ts';
import { encryptedVolumes } from './volumes.ts';
import { noWildcards } from './wildcards.ts';

/**
 * The rules for a stack with a fleet, whoever wrote its program. Rules for all resources look at every resource. Rules for tags,
 * group sizes and permissions to launch look only at resources of a fleet, because a program may have others.
 */
const RULES: readonly Rule[] = [
  noPublicIngress,
  metadataWithToken,
  encryptedVolumes,
  secretParameters,
  fleetTags,
  fleetAtZero,
  noWildcards,
  noLaunching,
];

const STACK_RULES: readonly StackRule[] = [privateBuckets];

export const policies: Policies = [...RULES.map(resourcePolicy), ...STACK_RULES.map(stackPolicy)];
