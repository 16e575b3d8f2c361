import { GetParameterCommand, type Parameter } from '@aws-sdk/client-ssm';
import { awsCodeOf, naming } from './aws-error.ts';
import type { AwsClients } from './clients.ts';

/**
 * Reads a parameter of Parameter Store, decrypted if it is a secret. Null when there is none of this name.
 *
 * @throws RunFailed that names call, parameter and what to do; see `aws-error.ts`
 */
export function readParameter(aws: AwsClients, name: string): Promise<Parameter | null> {
  return naming({ action: 'ssm:GetParameter', resource: `the parameter ${name}` }, async () => {
    const client = await aws.ssm();
    try {
      const answer = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
      return answer.Parameter ?? null;
    } catch (error) {
      if (awsCodeOf(error) === 'ParameterNotFound') return null;
      throw error;
    }
  });
}
