import { matchesArn, matchesText } from './policy-matching.ts';
import type { ParsedStatement } from './policy-document.ts';

/** The values of a request by condition key (`s3:prefix`), one text each. */
export type RequestContext = Readonly<Record<string, string>>;

/** Whether the value of a request is as one of the policy says. */
const OPERATORS: Readonly<Record<string, (wanted: string, value: string) => boolean>> = {
  StringEquals: (wanted, value) => wanted === value,
  StringLike: matchesText,
  ArnEquals: matchesArn,
  ArnLike: matchesArn,
  Bool: (wanted, value) => wanted.toLowerCase() === value.toLowerCase(),
};
const NEGATED: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
};

/**
 * All operators and all keys must hold; of several values one. Of a key that is missing the negated operators and those
 * with `IfExists` hold, the others do not.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 *
 * @throws Error at an operator that is not known here
 */
export function conditionsHold(condition: ParsedStatement['Condition'], context: RequestContext): boolean {
  // Names of keys are the same in capitals and small letters.
  const values = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
  const asked = Object.entries(condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, wanted]) => ({
      holds: operatorOf(operator),
      wanted,
      value: values.get(key.toLowerCase()) ?? null,
    })),
  );
  return asked.every(({ holds, wanted, value }) => holds(wanted, value));
}

type Operator = (wanted: readonly string[], value: string | null) => boolean;

function operatorOf(name: string): Operator {
  if (name === 'Null') return (wanted, value) => wanted.includes(String(value === null));
  const base = name.replace(/IfExists$/, '');
  const negated = NEGATED[base];
  const matches = OPERATORS[negated ?? base];
  if (matches === undefined) throw new Error(`The condition operator ${name} is not understood.`);
  const ifMissing = negated !== undefined || base !== name;
  return (wanted, value) => {
    if (value === null) return ifMissing;
    return wanted.some((text) => matches(text, value)) !== (negated !== undefined);
  };
}
