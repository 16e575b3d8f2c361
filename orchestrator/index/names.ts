/** The index that a run builds, and its companion for dead letters. */
export interface TargetNames {
  readonly index: string;
  readonly deadLetterIndex: string;
}

/** The only names that the workers of one pass write to. */
export interface PassAliases {
  readonly writeAlias: string;
  readonly deadLetterAlias: string;
}

export function targetNames(alias: string, runId: string): TargetNames {
  const index = `${alias}-${runId}`;
  return { index, deadLetterIndex: `${index}-dead-letters` };
}

/**
 * The write aliases of a pass.
 *
 * @param pass 1 for the main pass. Later passes count on.
 */
export function passAliases(names: TargetNames, pass: number): PassAliases {
  return {
    writeAlias: writeAlias(names.index, pass),
    deadLetterAlias: writeAlias(names.deadLetterIndex, pass),
  };
}

/** The index that shows for a moment what the cluster makes of the fields by itself. */
export function scratchIndexOf(index: string): string {
  return `${index}-scratch`;
}

/** Whether an alias is a write alias of any pass of this index. */
function isWriteAliasOf(index: string, alias: string): boolean {
  return alias.startsWith(`${index}-write-`) && /^\d+$/.test(alias.slice(`${index}-write-`.length));
}

/** The alias through which an index is searched before readers' own alias moves to it. */
export function trialAliasOf(index: string): string {
  return `${index}-trial`;
}

/** Whether an alias is one of those that a run itself gives to this index. Readers use no such alias. */
export function isOwnAliasOf(index: string, alias: string): boolean {
  return isWriteAliasOf(index, alias) || alias === trialAliasOf(index);
}

function writeAlias(index: string, pass: number): string {
  return `${index}-write-${pass}`;
}
