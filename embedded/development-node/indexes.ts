import { requireTypes } from './documents.ts';
import { type Body, cannot, object, only, refusal, word } from './wire.ts';

export type Doc = Readonly<{ _index: string; _id: string; _version: bigint; source: string; fields: Body }>;
export interface Index {
  readonly name: string;
  aliases: Body;
  mappings: Body;
  /** By full names. */
  readonly settings: Record<string, unknown>;
  readonly documents: Map<string, Doc>;
  /** What searches see while `refresh_interval` is -1: the documents of the last refresh. */
  refreshed: ReadonlyMap<string, Doc>;
}
const missing = (name: unknown) => refusal(404, 'index_not_found', `no such index [${word(name)}]`);

/** All indexes by their names. */
export class Indexes extends Map<unknown, Index> {
  create(name: string, { aliases, mappings, settings }: Body): void {
    if (this.has(name)) throw refusal(400, 'resource_already_exists', `index [${name}] already exists`);
    requireTypes(object(mappings));
    const empty = { settings: {}, documents: new Map(), refreshed: new Map() };
    const index = { name, aliases: object(aliases), mappings: object(mappings), ...empty };
    configure([index], object(settings));
    this.set(name, index);
  }

  /** Those of a name or an alias, of several with commas, or of a name's beginning with `*`, which may be none. */
  find(expression: string): Index[] {
    const [, start] = /^(.*)\*$/.exec(expression) ?? [];
    if (start !== undefined) return [...this.values()].filter(({ name }) => name.startsWith(start));
    return expression.split(',').flatMap((name) => this.get(name) ?? this.holders(name));
  }

  /** Those that have the alias, at least one. */
  holders(alias: string): Index[] {
    const found = [...this.values()].filter(({ aliases }) => Object.hasOwn(aliases, alias));
    if (found.length === 0) throw missing(alias);
    return found;
  }

  /** All actions of one call or none. */
  updateAliases(actions: unknown[]): void {
    const draft = new Map([...this].map(([name, { aliases }]) => [name, { ...aliases }]));
    for (const [verb, given] of actions.map(only)) {
      const { index, alias: named, must_exist: mustExist, ...config } = object(given);
      const [alias, aliases] = [word(named), draft.get(index)];
      if (aliases === undefined) throw missing(index);
      if (draft.has(alias)) throw refusal(400, 'invalid_alias_name', `[${alias}] is an index`);
      if (mustExist === true && !Object.hasOwn(aliases, alias))
        throw refusal(404, 'aliases_not_found', `aliases [${alias}] missing`);
      if (verb === 'add') aliases[alias] = config;
      else if (verb === 'remove') delete aliases[alias];
      else throw cannot(`the alias action [${verb}]`);
    }
    for (const [name, index] of this) index.aliases = draft.get(name) ?? {};
  }
}

/** Changes by full names, or under `index`; null takes a setting away. */
export function configure(indexes: Index[], { index: nested, ...full }: Body): void {
  const named = Object.entries(object(nested)).map(([name, value]) => [`index.${name}`, value]);
  for (const [name, value] of [...Object.entries(full), ...named])
    for (const { settings } of indexes) settings[String(name)] = value ?? undefined;
}
