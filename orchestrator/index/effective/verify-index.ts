import { RunFailed } from '../../errors.ts';
import { describeIndex, type IndexDescription } from '../index-meta.ts';
import type { IndexBody } from '../mapping.ts';
import type { SearchCalls } from '../search-calls.ts';
import { withoutBroughtFields } from './brought-fields.ts';
import type { Field } from './field-differences.ts';
import { fieldsNotAsAsked, foreignAliases, indexDifferences } from './index-differences.ts';
import { whereItCameFrom } from './matching-templates.ts';
import { whatFieldsBecome } from './scratch-index.ts';
import { statePolicyOf } from './state-policy.ts';

/**
 * Compares what an index is with what was asked for: settings, mapping, the policy that manages it, and `aliases` if the
 * index is new. Throws a RunFailed that names everything that loses, hides or differs, and where it came from. Returns
 * sentences about what nobody asked for and does no harm.
 */
export async function verifyIndex(
  cluster: SearchCalls,
  index: string,
  asked: IndexBody,
  { isNew }: { readonly isNew: boolean },
): Promise<string[]> {
  const found = await describeIndex(cluster, index);
  if (found === null)
    throw new RunFailed(
      `the index ${index} was created but is not there: look at the cluster, then run the same command again`,
    );
  const there = isNew ? found : withoutBrought(asked, found);
  const { faults, harmless } = indexDifferences(asked, there, await becomes(cluster, index, asked, there));
  const { policy, unseen } = await policyOf(cluster, index, asked);
  const all = [
    ...(isNew ? foreignAliases(index, found) : []),
    ...faults,
    ...(policy === null ? [] : [`the state management policy "${policy}" manages it`]),
  ];
  if (all.length > 0)
    throw new RunFailed(
      `the index ${index} is not as asked for. ${await whereItCameFrom(cluster, index)} ${all.join('; ')}. Exclude the name there, or decide each setting in the definition's index.settings (null: the cluster's own default).`,
    );
  return [
    ...(harmless.length === 0
      ? []
      : [
          `the index ${index} has what nobody asked for: ${harmless.join('; ')}. ${await whereItCameFrom(cluster, index)}`,
        ]),
    ...(unseen === null ? [] : [`nobody can say whether a policy manages the index ${index}: ${unseen}`]),
  ];
}

/** A new index has no documents yet, so all its fields come from templates. */
function withoutBrought(asked: IndexBody, found: IndexDescription): IndexDescription {
  const properties = withoutBroughtFields(asked.mappings.properties, found.mappings.properties ?? {});
  return { ...found, mappings: { ...found.mappings, properties } };
}

async function becomes(
  cluster: SearchCalls,
  index: string,
  asked: IndexBody,
  found: IndexDescription,
): Promise<Readonly<Record<string, Field>>> {
  return fieldsNotAsAsked(asked, found).length === 0 ? {} : whatFieldsBecome(cluster, index, asked);
}

/** A definition that asks for a policy gets it. */
async function policyOf(cluster: SearchCalls, index: string, asked: IndexBody) {
  const isAsked = Object.keys(asked.settings).some((name) => name.includes('.index_state_management.'));
  return isAsked ? { policy: null, unseen: null } : statePolicyOf(cluster, index);
}
