import type { NextMove } from '../../definition/failure.ts';
import { RunFailed } from '../errors.ts';
import type { Claim } from '../journal/claims.ts';

export interface Outdated {
  /** What is no longer as it was when the run began. */
  readonly why: string;
  /** The command that begins the run anew. */
  readonly command: string;
  readonly move: NextMove;
}

/**
 * An unfinished run cannot be carried on, because its definition, its table or its build is not what it began with. The
 * alias has not moved, so `--restart` may begin the run anew.
 */
export class OutdatedRun extends RunFailed {
  override readonly name = 'OutdatedRun';
  override readonly move: NextMove;
  readonly claim: Claim;
  readonly why: string;

  constructor(claim: Claim, { why, command, move }: Outdated) {
    super(
      `${why}. To begin the run anew with what is there now, give \`${command}\`: it deletes the run's index and keeps its key. To carry the run on, put back what it began with. To end it, give \`reindex-fleet abandon\``,
    );
    this.claim = claim;
    this.why = why;
    this.move = move;
  }
}

/** The command that begins the run of a key anew. */
export function restartOf(runKey: string): string {
  return `reindex-fleet run --run-key ${/^[\w.:+-]+$/.test(runKey) ? runKey : `'${runKey.replaceAll("'", "'\\''")}'`} --restart`;
}
