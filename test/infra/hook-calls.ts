import { credentials } from '@grpc/grpc-js';
import callbackService from '@pulumi/pulumi/proto/callback_grpc_pb.js';
import callbacks from '@pulumi/pulumi/proto/callback_pb.js';
import resources from '@pulumi/pulumi/proto/resource_pb.js';
import struct from 'google-protobuf/google/protobuf/struct_pb.js';
import type { ResourceMonitor } from './resource-monitor.ts';

/** What a resource was given the last time. */
export type PreviousInputs = Record<string, struct.JavaScriptValue>;

/**
 * Calls the hooks before the deletion of a resource, as an engine does; gives what they say against it.
 *
 * @param resource its logical name
 * @param inputs as it was
 */
export async function beforeDelete(
  { registrations, hooks }: ResourceMonitor,
  resource: string,
  inputs: PreviousInputs = {},
): Promise<string[]> {
  const names = registrations.find(({ name }) => name === resource)?.options.hooks['beforeDelete'] ?? [];
  const said = await Promise.all(names.map((name) => call(hooks.get(name), resource, inputs)));
  return said.filter((words) => words !== '');
}

/** What it says against the deletion; empty: nothing. */
function call(
  callback: callbacks.Callback | undefined,
  resource: string,
  inputs: PreviousInputs,
): Promise<string> {
  if (callback === undefined) throw new Error(`A hook of ${resource} is not registered.`);
  const hooked = new resources.ResourceHookRequest();
  hooked.setName(resource);
  hooked.setOldInputs(struct.Struct.fromJavaScript(inputs));
  const request = new callbacks.CallbackInvokeRequest();
  request.setToken(callback.getToken());
  request.setRequest(hooked.serializeBinary());
  const client = new callbackService.CallbacksClient(callback.getTarget(), credentials.createInsecure());
  return new Promise<string>((resolve, reject) => {
    client.invoke(request, (error, answer) => {
      client.close();
      if (error !== null) return reject(error);
      resolve(resources.ResourceHookResponse.deserializeBinary(answer.getResponse_asU8()).getError());
    });
  });
}
