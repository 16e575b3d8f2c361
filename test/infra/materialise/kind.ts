import type { AwsAnswer } from '../aws-calls.ts';

/** Makes one call of AWS's API. It rejects if AWS or the service's model refuses the call. */
export type Call = (
  service: string,
  operation: string,
  parameters: Readonly<Record<string, unknown>>,
) => Promise<AwsAnswer>;

/** What a provider knows of a resource when it is there. */
export interface Made {
  readonly id: string;
  /** Beside the inputs. */
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/**
 * What Pulumi's AWS provider does for one type of resource, by calls of AWS's API.
 *
 * A property that is not named here goes on by its own name (see `members`), and a name that AWS does not know is refused by
 * the service's model. So no property is left out in silence but those that `untold` has with their reason.
 */
export interface Kind<Inputs> {
  /** Pulumi's, e.g. `aws:iam/role:Role`. */
  readonly type: string;
  readonly untold?: Readonly<Partial<Record<keyof Inputs, string>>>;
  make(inputs: Inputs, call: Call): Promise<Made>;
  /** By what the registration alone tells. */
  remove(inputs: Inputs, call: Call, id: string): Promise<void>;
}

/** A kind whose inputs are no longer known to the compiler: those of a registration are what its type says. */
export type AnyKind = Kind<Record<string, unknown>>;

export function kind<Inputs>(of: Kind<Inputs>): AnyKind {
  return of as unknown as AnyKind;
}

/** The text that stands in an answer at this path. */
export function textIn(answer: AwsAnswer, ...path: readonly (string | number)[]): string {
  const found = path.reduce<unknown>((value, name) => Object(value)[name], answer);
  if (typeof found !== 'string') throw new Error(`AWS's answer has no ${path.join('.')}.`);
  return found;
}
