import type { Parameter } from '@aws-sdk/client-ssm';
import { RunFailed } from '../../errors.ts';
import type { GroupReads } from './group-reads.ts';

const LEAST_LENGTH = 16;

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
  const value = found.Value ?? '';
  if (value.length < LEAST_LENGTH || /[^\x21-\x7e]/.test(value))
    return {
      fault: `the token parameter ${name} must hold a token of at least ${LEAST_LENGTH} letters, digits and signs, without spaces`,
    };
  return { value };
}
