import { GetParameterCommand, type Parameter } from '@aws-sdk/client-ssm';
import { awsCodeOf, naming } from './aws-error.ts';
import type { AwsClients } from './clients.ts';

/**
 * A parameter of Parameter Store, decrypted where it is a secret; null: there is none of that name.
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
