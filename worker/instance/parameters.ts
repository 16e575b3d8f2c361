import { awsErrorText } from './aws-error.ts';
import { InstanceFailure } from './instance-failure.ts';

const CONNECTION_TIMEOUT_MS = 2_000;
const CALL_TIMEOUT_MS = 10_000;

/**
 * Reads the parameters directly below a path, decrypted: values by their last names. It loads the SDK here, so a worker that is
 * not on an instance never loads it.
 * @throws Error that names call, path, and the permission that may be missing
 */
export async function readParameters(path: string, region: string): Promise<Record<string, string>> {
  const { SSMClient, paginateGetParametersByPath } = await import('@aws-sdk/client-ssm');
  const client = new SSMClient({
    region,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: CALL_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  const parameters: Record<string, string> = {};
  try {
    for await (const page of paginateGetParametersByPath({ client }, { Path: path, WithDecryption: true })) {
      if (page.Parameters === undefined)
        throw new Error('what answered is not AWS: its answer has no Parameters (check AWS_ENDPOINT_URL)');
      for (const { Name: name = '', Value: value = '' } of page.Parameters) {
        parameters[name.slice(name.lastIndexOf('/') + 1)] = value;
      }
    }
    return parameters;
  } catch (error) {
    const call = { action: 'ssm:GetParametersByPath', resource: path, region };
    throw new InstanceFailure(awsErrorText(error, call), { cause: error });
  } finally {
    client.destroy();
  }
}
