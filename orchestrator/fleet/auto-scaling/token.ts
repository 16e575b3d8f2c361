import type { Parameter } from '@aws-sdk/client-ssm';
import { tokenSchema } from '../../../worker/contract.ts';
import { RunFailed } from '../../errors.ts';
import type { GroupReads } from './group-reads.ts';

/**
 * Reads the workers' bearer token from the SecureString that the workers read too. No error contains the token.
 *
 * @throws RunFailed when the parameter cannot hold the token
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
      fault: `the token parameter ${name} is a ${found.Type}: make it a SecureString, because it holds a secret`,
    };
  const { success, data, error } = tokenSchema.safeParse(found.Value ?? '');
  if (success) return { value: data };
  // The issues say what a token must be. They never say what the parameter holds.
  const wanted = error.issues.map(({ message }) => message).join(', and ');
  return {
    fault: `the token parameter ${name} holds no token that a worker accepts: it ${wanted}`,
  };
}
