import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { requireDistinct } from '../reconcile/distinct.ts';
import { highestNumber, numberedName, numberOf } from './numbered.ts';
import { readTogether } from './read-together.ts';
import type { JournalStore } from './store.ts';
import { parseObject } from './store-failure.ts';

const CLAIM_SCHEMA = 2;

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

const claimSchema = z.strictObject({
  schema: z.literal(CLAIM_SCHEMA),
  ...commonShape,
  /** The aliases that the claim holds beside the fleet. */
  aliases: z
    .array(claimedAliasSchema)
    .nonempty()
    .readonly()
    .superRefine((claimed, context) => {
      const aliases = claimed.map(({ alias }) => alias);
      requireDistinct(aliases, 'the alias', context);
    }),
});
export type Claim = z.infer<typeof claimSchema>;
export type ClaimedAlias = Claim['aliases'][number];

/** A claim of an earlier version, whose runs had one index. */
const earlierClaimSchema = z
  .strictObject({ schema: z.literal(1), ...commonShape, alias: z.string(), definitionDigest: z.string() })
  .transform(
    ({ alias, definitionDigest, ...rest }): Claim => ({
      ...rest,
      schema: CLAIM_SCHEMA,
      aliases: [{ alias, definition: null, definitionDigest }],
    }),
  );

const anyClaimSchema = z.discriminatedUnion('schema', [claimSchema, earlierClaimSchema]);

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

/** Every claim with the name of its object, newest first. One run may have several. */
export async function allClaims(store: JournalStore): Promise<{ name: string; claim: Claim }[]> {
  const claims: { name: string; claim: Claim }[] = [];
  const newestFirst = (await store.list(FOLDER)).toReversed();
  for await (const { name, body } of readTogether(store, newestFirst)) {
    if (body !== null) claims.push({ name, claim: parseClaim(store, name, body) });
  }
  return claims;
}

type ClaimContent = Omit<Claim, 'schema' | 'nonce'>;

/** Writes the next claim. False if another process wrote that number first. */
export async function writeClaim(store: JournalStore, content: ClaimContent): Promise<boolean> {
  const number = (await highestNumber(store, FOLDER)) + 1;
  const claim: Claim = { schema: CLAIM_SCHEMA, nonce: randomUUID(), ...content };
  return (await store.create(numberedName(FOLDER, number), JSON.stringify(claim))) === 'created';
}

/**
 * The folder of a run's journal. A scheduler may put anything into a key, so the key's digest is a part of the name.
 */
export function runFolder(runKey: string): string {
  const slug = runKey
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
  return `runs/${slug}-${createHash('sha256').update(runKey).digest('hex').slice(0, 12)}`;
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
