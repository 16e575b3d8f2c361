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
export function isWriteAliasOf(index: string, alias: string): boolean {
  return alias.startsWith(`${index}-write-`) && /^\d+$/.test(alias.slice(`${index}-write-`.length));
}

function writeAlias(index: string, pass: number): string {
  return `${index}-write-${pass}`;
}
