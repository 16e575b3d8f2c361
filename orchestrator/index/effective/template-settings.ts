import { z } from 'zod';
import { read } from '../cluster-error.ts';
import { type Judgement, NOTHING_FOUND } from '../judgement.ts';
import { look } from '../look.ts';
import { fullNames, settingText } from '../mapping.ts';
import { type SearchCalls, segment } from '../search-calls.ts';
import { isOwnAliasOf } from '../names.ts';
import { matchesPattern } from '../wildcard.ts';
import { whereItCameFrom } from './matching-templates.ts';
import { judgeSetting } from './setting-rules.ts';

/**
 * Judges what index templates would give to an index that is not there yet, by the rules for an index that is. So a plan
 * refuses what a run would refuse when it has created the index.
 *
 * @param asked the settings that the index is created with, by their full names
 */
export async function judgeTemplates(
  cluster: SearchCalls,
  index: string,
  asked: Readonly<Record<string, unknown>>,
): Promise<Judgement> {
  const { given, unseen } = await whatTemplatesGive(cluster, index);
  if (given === null) return unseen === null ? NOTHING_FOUND : { faults: [], warnings: [unseen] };
  const faults = [
    ...Object.keys(given.aliases)
      .filter((alias) => !isOwnAliasOf(index, alias))
      .map((alias) => `the alias "${alias}"`),
    ...Object.entries(given.settings).flatMap(([name, value]) => {
      if (name in asked || value === null) return [];
      const verdict = judgeSetting(name, value, asked);
      return verdict.kind === 'refused' ? [`${name}: ${settingText(value)} (${verdict.why})`] : [];
    }),
  ];
  if (faults.length === 0) return NOTHING_FOUND;
  return {
    faults: [
      `the index ${index} would not be as asked for. ${await whereItCameFrom(cluster, index)} It would come with ${faults.join('; ')}. Exclude the name there, or decide each setting in the definition's index.settings (null: the cluster's own default).`,
    ],
    warnings: [],
  };
}

const partSchema = z.record(z.string(), z.unknown());
const patterns = z.union([z.string().transform((pattern) => [pattern]), z.array(z.string())]);
const legacySchema = z.record(
  z.string(),
  z.object({
    index_patterns: patterns,
    order: z.number().default(0),
    settings: partSchema.default({}),
    aliases: partSchema.default({}),
  }),
);

interface Given {
  /** By their full names. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly aliases: Readonly<Record<string, unknown>>;
}

/** A composable template hides all legacy ones. Null where no template matches, or nobody may look. */
async function whatTemplatesGive(
  cluster: SearchCalls,
  index: string,
): Promise<{ readonly given: Given | null; readonly unseen: string | null }> {
  const composable = await look(
    cluster,
    `/_index_template/_simulate_index/${segment(index)}`,
    'what index templates give to a new index',
    'POST',
  );
  const template = read(composable.answer, 'template');
  if (template !== undefined) return { given: givenBy(template), unseen: null };
  const legacy = await look(cluster, '/_template?flat_settings=true', 'the legacy index templates');
  const matching = Object.values(legacySchema.safeParse(legacy.answer).data ?? {})
    .filter((each) => each.index_patterns.some((pattern) => matchesPattern(index, pattern)))
    .toSorted((a, b) => a.order - b.order)
    .map(givenBy);
  if (matching.length > 0)
    return {
      given: {
        settings: Object.assign({}, ...matching.map(({ settings }) => settings)) as Given['settings'],
        aliases: Object.assign({}, ...matching.map(({ aliases }) => aliases)) as Given['aliases'],
      },
      unseen: null,
    };
  return { given: null, unseen: composable.unseen };
}

function givenBy(template: unknown): Given {
  return {
    settings: fullNames(partSchema.safeParse(read(template, 'settings')).data ?? {}),
    aliases: partSchema.safeParse(read(template, 'aliases')).data ?? {},
  };
}
