import { matchesGlob } from 'node:path';
import { type Body, object } from './json.ts';

/** An answer of status 400 and up with OpenSearch's own type, less its `_exception`. */
export const refusal = (status: number, type: string, reason: string) =>
  Object.assign(new Error(reason), { status, type: `${type}_exception` });
export const illegal = (reason: string) => refusal(400, 'illegal_argument', reason);
export const cannot = (what: string) => illegal(`the built-in development node does not know ${what}`);
export const missing = (name: string) => refusal(404, 'index_not_found', `no such index [${name}]`);

/** A document as last written; `source` is null for a deleted one, whose version still counts. */
export interface Doc {
  readonly id: string;
  readonly source: Buffer | null;
  readonly fields: Body;
  readonly version: bigint;
  readonly seqNo: number;
}
export interface Index {
  readonly name: string;
  /** By full names, as text. */
  settings: Body;
  mappings: Body;
  readonly aliases: Record<string, Body>;
  readonly documents: Map<string, Doc>;
  /** What a search sees: the documents of the last refresh. */
  visible: ReadonlyMap<string, Doc>;
  unrefreshedSinceMs: number | null;
  nextSeqNo: number;
}

/** All indexes of the node with their aliases. */
export class Indexes {
  byName: ReadonlyMap<string, Index> = new Map();

  create(name: string, { mappings, settings, aliases }: Body): void {
    if (this.byName.has(name))
      throw refusal(400, 'resource_already_exists', `index [${name}] already exists`);
    const valid = name === name.toLowerCase() && !/^[_+-]|[\\/*?"<>| ,#:]/.test(name);
    if (!valid || this.#holders(name).length > 0)
      throw refusal(400, 'invalid_index_name', `Invalid index name [${name}]`);
    const documents = new Map<string, Doc>();
    const index: Index = {
      ...{ name, documents, visible: new Map(), unrefreshedSinceMs: null, nextSeqNo: 0 },
      ...{ aliases: {}, mappings: object(mappings) },
      settings: {
        'index.number_of_shards': '1',
        'index.number_of_replicas': '1',
        ...flatSettings(object(settings)),
      },
    };
    const add = ([alias, config]: [string, unknown]) => ({ add: { ...object(config), index: name, alias } });
    this.updateAliases(Object.entries(object(aliases)).map(add), new Map(this.byName).set(name, index));
  }

  /** Names, aliases and `*` patterns, by commas; a name that is not there is refused, a pattern may match nothing. */
  resolve(expression: string): { index: Index; filter: unknown }[] {
    return expression.split(',').flatMap((name) => {
      const found = [...this.byName.values()].flatMap((index) => {
        const alias = Object.keys(index.aliases).find((alias) => matchesGlob(alias, name)) ?? '';
        if (matchesGlob(index.name, name)) return [{ index, filter: undefined }];
        return alias === '' ? [] : [{ index, filter: index.aliases[alias]?.filter }];
      });
      if (found.length === 0 && !name.includes('*')) throw missing(name);
      return found;
    });
  }

  writeTarget(name: string, requireAlias: boolean): Index {
    const holders = this.#holders(name);
    const writeIndex = holders.find((index) => index.aliases[name]?.is_write_index ?? holders.length === 1);
    const target = writeIndex ?? (requireAlias ? undefined : this.byName.get(name));
    if (target !== undefined) return target;
    throw holders.length === 0 ? missing(name) : illegal(`no write index is defined for alias [${name}]`);
  }

  /** All actions of one call or none. */
  updateAliases(actions: readonly unknown[], indexes = this.byName): void {
    const draft = new Map(
      [...indexes].map(([name, index]) => [name, { ...index, aliases: { ...index.aliases } }]),
    );
    for (const action of actions) {
      const [[verb, given] = ['', {}]] = Object.entries(object(action));
      const { index: name, alias: named, must_exist: mustExist, routing, ...config } = object(given);
      const [alias, index] = [String(named), draft.get(String(name))];
      if (index === undefined) throw missing(String(name));
      if (verb === 'remove_index') draft.delete(index.name);
      else if (verb === 'add' && draft.has(alias))
        throw refusal(400, 'invalid_alias_name', `[${alias}] is an index`);
      else if (verb === 'add') index.aliases[alias] = { ...routes(routing), ...config };
      else if (verb !== 'remove') throw cannot(`the alias action [${verb}]`);
      else if (mustExist === true && !(alias in index.aliases))
        throw refusal(404, 'aliases_not_found', `aliases [${alias}] missing`);
      else delete index.aliases[alias];
    }
    this.byName = draft;
  }

  #holders(alias: string): Index[] {
    return [...this.byName.values()].filter((index) => index.aliases[alias] !== undefined);
  }
}

const routes = (routing: unknown): Body =>
  routing === undefined ? {} : { index_routing: routing, search_routing: routing };

/** Nested or by full names, with `index.` or without, to full names; null takes a setting away. */
export function flatSettings(settings: Body, prefix = 'index.'): Body {
  const flat = Object.entries(settings).map(([name, value]): Body => {
    const path = name === 'index' ? 'index' : `${prefix}${name.replace(/^index\./, '')}`;
    if (object(value) === value) return flatSettings(object(value), `${path}.`);
    return { [path]: value === null || Array.isArray(value) ? value : String(value) };
  });
  return Object.assign({}, ...flat) as Body;
}
