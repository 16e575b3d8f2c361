import type { AliasClaim } from '../index/alias-claims.ts';

/** Says who holds an alias, for a message that refuses something. */
export function heldWords(alias: string, claim: AliasClaim): string {
  return `the alias ${alias} is claimed by the run with key ${claim.run_key} of the fleet ${claim.fleet} since ${claim.since} (journal ${claim.journal}, begun on ${claim.host}): wait until it ends, or end it there with \`reindex-fleet abandon\`. If it is over there, \`reindex-fleet abandon --alias ${alias}\` frees the alias there. If its journal is gone, \`reindex-fleet abandon --alias ${alias} --force\` frees it here.`;
}
