import type { ComponentResource, CustomResourceOptions } from '@pulumi/pulumi';

/**
 * Options of every resource in a component. Names are fixed, so a replacement can only come after what it replaces.
 */
export function child(parent: ComponentResource, options: CustomResourceOptions = {}): CustomResourceOptions {
  return { parent, deleteBeforeReplace: true, ...options };
}
