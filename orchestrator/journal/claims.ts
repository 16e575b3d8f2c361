import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { requireDistinct } from '../reconcile/distinct.ts';
import { highestNumber, numberedName, numberOf } from './numbered.ts';
import { readTogether } from './read-together.ts';
import type { JournalStore } from './store.ts';
import { parseObject } from './store-failure.ts';

const CLAIM_SCHEMA = 3;

const commonShape = {
  nonce: z.string(),
  held: z.boolean(),
  runKey: z.string(),
  run: z.string(),
  at: z.iso.datetime(),
  /** What ended the claim: `finished` or `abandoned`. Null while it is held, or when the run gave it back. */
  ended: z.enum(['finished', 'abandoned']).nullable(),
};

const claimedAliasSchema = z.strictObject({
  alias: z.string(),
  /** The name of the index definition. Null when an earlier version did not write it. */
  definition: z.string().nullable(),
  /** The digest of the definition without its columns' types. */
  definitionDigest: z.string(),
});

const aliasesShape = {
  /** The aliases that the claim holds beside the fleet. */
  aliases: z
    .array(claimedAliasSchema)
    .nonempty()
    .readonly()
    .superRefine((claimed, context) => {
      const aliases = claimed.map(({ alias }) => alias);
      requireDistinct(aliases, 'the alias', context);
    }),
};

const claimSchema = z.strictObject({
  schema: z.literal(CLAIM_SCHEMA),
  ...commonShape,
  /** The folder of the run's journal. A key that is used again has another one: `folderAgain`. */
  folder: z.string(),
  ...aliasesShape,
});
export type Claim = z.infer<typeof claimSchema>;
export type ClaimedAlias = Claim['aliases'][number];

/** A claim of an earlier version, whose runs had one index. */
const firstClaimSchema = z
  .strictObject({ schema: z.literal(1), ...commonShape, alias: z.string(), definitionDigest: z.string() })
  .transform(
    ({ alias, definitionDigest, ...rest }): Claim => ({
      ...rest,
      schema: CLAIM_SCHEMA,
      folder: runFolder(rest.runKey),
      aliases: [{ alias, definition: null, definitionDigest }],
    }),
  );

/** A claim of an earlier version, where a key could be used only once. */
const secondClaimSchema = z
  .strictObject({ schema: z.literal(2), ...commonShape, ...aliasesShape })
  .transform((rest): Claim => ({ ...rest, schema: CLAIM_SCHEMA, folder: runFolder(rest.runKey) }));

const anyClaimSchema = z.discriminatedUnion('schema', [claimSchema, secondClaimSchema, firstClaimSchema]);

const FOLDER = 'claims';

/**
 * The newest of a fleet's claims. Claims are numbered objects, and the newest says who holds the fleet and its aliases.
 * A claim is durable: it outlives the process that made it, and only finish or `abandon` ends it.
 */
export async function currentClaim(store: JournalStore): Promise<Claim | null> {
  return readClaim(store, await highestNumber(store, FOLDER));
}

/** The oldest claim that still exists. Null when there is none. */
export async function oldestClaim(store: JournalStore): Promise<Claim | null> {
  const [name] = await store.list(FOLDER, { limit: 1 });
  return name === undefined ? null : readClaim(store, numberOf(name));
}

/** All claims, newest first, one entry per run. They show how each run's claim stands or ended. */
export async function claimHistory(store: JournalStore): Promise<Claim[]> {
  const runs = new Map<string, Claim>();
  for (const { claim } of await allClaims(store)) if (!runs.has(claim.run)) runs.set(claim.run, claim);
  return [...runs.values()];
}

/** The newest run of a key. A key that was abandoned may have been used again. Null when there is none. */
export async function newestOfKey(store: JournalStore, runKey: string): Promise<Claim | null> {
  return (await claimHistory(store)).find((claim) => claim.runKey === runKey) ?? null;
}

/** Every claim with the name of its object, newest first. One run may have several. */
export async function allClaims(store: JournalStore): Promise<{ name: string; claim: Claim }[]> {
  const claims: { name: string; claim: Claim }[] = [];
  const newestFirst = (await store.list(FOLDER)).toReversed();
  for await (const { name, body } of readTogether(store, newestFirst)) {
    if (body !== null) claims.push({ name, claim: parseClaim(store, name, body) });
  }
  return claims;
}

type ClaimContent = Omit<Claim, 'schema' | 'nonce' | 'folder'> & Partial<Pick<Claim, 'folder'>>;

/**
 * Writes the next claim. Without a folder it is that of the key's first run. False if another process wrote that number
 * first.
 */
export async function writeClaim(store: JournalStore, content: ClaimContent): Promise<boolean> {
  const number = (await highestNumber(store, FOLDER)) + 1;
  const folder = runFolder(content.runKey);
  const claim: Claim = { schema: CLAIM_SCHEMA, nonce: randomUUID(), folder, ...content };
  return (await store.create(numberedName(FOLDER, number), JSON.stringify(claim))) === 'created';
}

/**
 * The folder of the journal of a key's first run. A scheduler may put anything into a key, so the key's digest is a part
 * of the name.
 */
export function runFolder(runKey: string): string {
  const slug = runKey
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
  return `runs/${slug}-${createHash('sha256').update(runKey).digest('hex').slice(0, 12)}`;
}

/** The folder of the journal of a later run of a key, whose first run was abandoned. */
export function folderAgain({ runKey, run }: Pick<Claim, 'runKey' | 'run'>): string {
  return `${runFolder(runKey)}-${run}`;
}

async function readClaim(store: JournalStore, number: number): Promise<Claim | null> {
  if (number === 0) return null;
  const name = numberedName(FOLDER, number);
  const body = await store.read(name);
  return body === null ? null : parseClaim(store, name, body);
}

function parseClaim(store: JournalStore, name: string, body: string): Claim {
  const object = { location: store.location, name, kind: 'claim', newest: CLAIM_SCHEMA };
  return parseObject(anyClaimSchema, object, body);
}

/** Names a claim's aliases in a sentence. */
export function aliasWords({ aliases }: Pick<Claim, 'aliases'>): string {
  return `alias${aliases.length === 1 ? '' : 'es'} ${aliases.map(({ alias }) => alias).join(', ')}`;
}
