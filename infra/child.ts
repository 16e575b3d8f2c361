import type { ComponentResource, CustomResourceOptions } from '@pulumi/pulumi';

/**
 * Options of every resource in a component. Names are fixed, so Pulumi deletes a resource before it makes its replacement.
 */
export function child(parent: ComponentResource, options: CustomResourceOptions = {}): CustomResourceOptions {
  return { parent, deleteBeforeReplace: true, ...options };
}
