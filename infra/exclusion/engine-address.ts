import type { Client } from '@grpc/grpc-js';
import * as pulumi from '@pulumi/pulumi';

/** Where the engine listens that runs this program: `host:port`. Null: no engine runs it, as under Pulumi's mocks. */
export function engineAddress(): string | null {
  const engine: object | undefined = pulumi.runtime.getEngine();
  if (engine === undefined || !('getChannel' in engine)) return null;
  // gRPC writes its way of resolving a name before the name.
  return (engine as Client).getChannel().getTarget().replace(/^dns:/, '');
}
