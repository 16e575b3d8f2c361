import type { Input } from '@pulumi/pulumi';
import * as pulumi from '@pulumi/pulumi';
import { urlWithPassword } from '../../orchestrator/run/source-connection.ts';
import type { StackSettings } from '../settings/schema.ts';

/** One setting of the workers by its name, e.g. `database_url`. */
export interface WorkerValue {
  readonly name: string;
  readonly value: Input<string>;
  /** It holds a password, or stands beside one. */
  readonly secret: boolean;
}

/** The settings that workers read from Parameter Store, without the token. */
export function workerValues(settings: StackSettings): WorkerValue[] {
  const { source, source_password, target, target_password, target_api_key, auto_scaling, instances } =
    settings;
  const secret = (name: string, value: Input<string> | null): WorkerValue[] =>
    value === null ? [] : [{ name, value: pulumi.secret(value), secret: true }];
  return [
    ...secret('database_url', withPassword(source.url, source_password)),
    ...secret('search_url', target.url),
    ...secret('search_username', target.username),
    ...secret('search_password', target_password),
    ...secret('search_api_key', target_api_key),
    { name: 'port', value: String(auto_scaling.worker_port), secret: false },
    ...Object.entries(instances.parameters).map(([name, value]) => ({ name, value, secret: false })),
  ];
}

function withPassword(url: Input<string>, password: Input<string> | null): Input<string> {
  if (password === null) return url;
  return pulumi
    .all([url, password])
    .apply(([plain, secret]) => urlWithPassword({ url: plain, password: secret }));
}
