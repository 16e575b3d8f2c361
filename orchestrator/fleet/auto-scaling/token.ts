import type { Parameter } from '@aws-sdk/client-ssm';
import { tokenSchema } from '../../../worker/contract.ts';
import { RunFailed } from '../../errors.ts';
import type { GroupReads } from './group-reads.ts';

/**
 * The bearer token of the workers, from the SecureString that they take it from as well. It is never part of an error.
 *
 * @throws RunFailed when the parameter is not fit to hold it
 */
export async function readToken(reads: GroupReads, parameter: string): Promise<string> {
  const token = tokenIn(parameter, await reads.parameter(parameter));
  if ('fault' in token) throw new RunFailed(token.fault);
  return token.value;
}

function tokenIn(
  name: string,
  found: Parameter | null,
): { readonly value: string } | { readonly fault: string } {
  if (found === null) return { fault: `the token parameter ${name} does not exist in this region` };
  if (found.Type !== 'SecureString')
    return {
      fault: `the token parameter ${name} is a ${found.Type}: make it a SecureString, it holds a secret`,
    };
  const { success, data, error } = tokenSchema.safeParse(found.Value ?? '');
  if (success) return { value: data };
  // The issues say what a token is, never what it holds.
  const wanted = error.issues.map(({ message }) => message).join(', and ');
  return {
    fault: `the token parameter ${name} holds nothing that a worker takes as its token: it ${wanted}`,
  };
}
