import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import * as random from '@pulumi/random';
import { child } from '../child.ts';
import type { Names } from '../names.ts';
import type { StackSettings } from '../settings/schema.ts';
import { tagsOf } from '../tags.ts';
import { workerValues } from './worker-values.ts';

/** Length of the token. Each letter or digit has 5.9 bits. */
const TOKEN_LENGTH = 48;

export interface WorkerParametersArgs {
  readonly settings: StackSettings;
  readonly names: Names;
}

/** The workers' settings in Parameter Store, and the bearer token. Only stack, orchestrator and workers know the token. */
export class WorkerParameters extends pulumi.ComponentResource {
  readonly token: aws.ssm.Parameter;
  /** All parameters, with the token. */
  readonly parameters: readonly aws.ssm.Parameter[];

  constructor(name: string, args: WorkerParametersArgs, options: pulumi.ComponentResourceOptions = {}) {
    super('reindex-fleet:index:WorkerParameters', name, {}, options);
    const { settings, names } = args;
    const tags = { ...tagsOf(names, settings.tags) };
    const parameter = (setting: string, value: pulumi.Input<string>, secret: boolean): aws.ssm.Parameter =>
      new aws.ssm.Parameter(
        `${name}-${setting.replaceAll('_', '-')}`,
        {
          name: `${names.workerParameters}/${setting}`,
          // A preview shows no `value`, but shows this.
          ...(secret ? { type: 'SecureString', value } : { type: 'String', insecureValue: value }),
          tags,
        },
        child(this, { replaceOnChanges: ['type'] }),
      );

    const token = new random.RandomPassword(
      `${name}-token`,
      {
        length: TOKEN_LENGTH,
        special: false,
        keepers: { generation: String(settings.token_generation) },
      },
      { parent: this, additionalSecretOutputs: ['result'] },
    );
    this.token = parameter('token', pulumi.secret(token.result), true);
    this.parameters = [
      this.token,
      ...workerValues(settings).map(({ name: setting, value, secret }) => parameter(setting, value, secret)),
    ];
    this.registerOutputs({ token: this.token.name });
  }
}
