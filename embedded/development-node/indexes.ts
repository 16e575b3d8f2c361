import { matchesGlob } from 'node:path';
import { Failure, moveAfterStatus, type NextMove } from '../../definition/failure.ts';
import { type Body, object, only, word } from './json.ts';

/** An answer of status 400 and up with OpenSearch's own type, less its `_exception`. */
export class Refusal extends Failure {
  override readonly move: NextMove;
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, reason: string) {
    super(reason);
    this.move = moveAfterStatus(status);
    this.status = status;
    this.type = `${type}_exception`;
  }
}

export const refusal = (status: number, type: string, reason: string) => new Refusal(status, type, reason);
export const illegal = (reason: string) => refusal(400, 'illegal_argument', reason);
export const cannot = (what: string) => illegal(`the built-in development node does not know ${what}`);
const missing = (name: string) => refusal(404, 'index_not_found', `no such index [${name}]`);

/** `source` is null for a deleted document, whose version still counts. */
export type Doc = Readonly<{
  id: string;
  source: Buffer | null;
  fields: Body;
  version: bigint;
  seqNo: number;
}>;
export type Target = Readonly<{ index: Index; filter: unknown }>;
export interface Index {
  readonly name: string;
  readonly aliases: Record<string, Body>;
  mappings: Body;
  /** By full names, as text. */
  settings: Body;
  readonly documents: Map<string, Doc>;
  /** What a search sees: the documents of the last refresh. */
  visible: ReadonlyMap<string, Doc>;
  unrefreshedSinceMs: number;
  nextSeqNo: number;
}
const TYPES = /^(long|integer|short|byte|double|float|boolean|date|text|keyword|object|nested|geo_point|ip)$/;

export class Indexes {
  byName: ReadonlyMap<string, Index> = new Map();
  /** The answers of what was asked for in the background. It is done at once. */
  readonly tasks: unknown[] = [];

  create(name: string, { mappings, settings, aliases }: Body): void {
    const invalid =
      name !== name.toLowerCase() || /^[_+-]|[\\/*?"<>| ,#:]/.test(name) || this.holders(name).length > 0;
    const types = Object.values(object(object(mappings).properties)).map((field) =>
      word(object(field).type ?? 'object'),
    );
    const unknown = types.find((type) => !TYPES.test(type));
    if (this.byName.has(name))
      throw refusal(400, 'resource_already_exists', `index [${name}] already exists`);
    if (invalid) throw refusal(400, 'invalid_index_name', `Invalid index name [${name}]`);
    if (unknown !== undefined) throw refusal(400, 'mapper_parsing', `No handler for type [${unknown}]`);
    const defaults = { 'index.number_of_shards': '1', 'index.number_of_replicas': '1' };
    const empty = {
      aliases: {},
      documents: new Map(),
      visible: new Map(),
      unrefreshedSinceMs: Infinity,
      nextSeqNo: 0,
    };
    const index = {
      ...empty,
      name,
      mappings: object(mappings),
      settings: withSettings(defaults, object(settings)),
    };
    const add = ([alias, config]: [string, unknown]) => ({ add: { ...object(config), index: name, alias } });
    this.updateAliases(Object.entries(object(aliases)).map(add), new Map(this.byName).set(name, index));
  }

  /**
   * Names, aliases and `*` patterns, by commas; a name that is not there is refused, a pattern may match nothing, and
   * matches a hidden index only when asked to.
   */
  resolve(expression: string, withHidden = false): Target[] {
    return expression.split(',').flatMap((name) => {
      const found = [...this.byName.values()].flatMap((index) => {
        if (name.includes('*') && !withHidden && index.settings['index.hidden'] === 'true') return [];
        const alias = Object.keys(index.aliases).find((alias) => matchesGlob(alias, name)) ?? '';
        if (matchesGlob(index.name, name)) return [{ index, filter: undefined }];
        return alias === '' ? [] : [{ index, filter: index.aliases[alias]?.filter }];
      });
      if (found.length === 0 && !name.includes('*')) throw missing(name);
      return found;
    });
  }

  writeTarget(name: string, requireAlias: boolean): Index {
    const holders = this.holders(name);
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
    for (const [verb, given] of actions.map(only)) {
      const { index: name, alias: named, must_exist: mustExist, routing, ...config } = object(given);
      const [alias, index] = [String(named), draft.get(String(name))];
      if (index === undefined) throw missing(String(name));
      const absent = mustExist === true && !(alias in index.aliases);
      if (verb === 'remove' && absent) throw refusal(404, 'aliases_not_found', `aliases [${alias}] missing`);
      if (verb === 'add' && draft.has(alias))
        throw refusal(400, 'invalid_alias_name', `[${alias}] is an index`);
      const routes = routing === undefined ? {} : { index_routing: routing, search_routing: routing };
      if (verb === 'remove_index') draft.delete(index.name);
      else if (verb === 'remove') delete index.aliases[alias];
      else if (verb === 'add') index.aliases[alias] = { ...routes, ...config };
      else throw cannot(`the alias action [${verb}]`);
    }
    this.byName = draft;
  }

  holders(alias: string): Index[] {
    return [...this.byName.values()].filter((index) => index.aliases[alias] !== undefined);
  }
}

/** Settings may be nested or by their full names, with `index.` or without; null takes one away. */
export function withSettings(settings: Body, changes: Body, prefix = 'index.'): Body {
  return Object.entries(changes).reduce((result, [name, value]) => {
    const path = name === 'index' ? 'index' : `${prefix}${name.replace(/^index\./, '')}`;
    const { [path]: _, ...others } = result;
    if (object(value) === value) return withSettings(result, object(value), `${path}.`);
    return value === null ? others : { ...others, [path]: Array.isArray(value) ? value : word(value) };
  }, settings);
}
