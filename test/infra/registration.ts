import type { RegisterResourceRequest } from '@pulumi/pulumi/proto/resource_pb.js';
import { fromWire, isMap, masked, revealed } from './property-values.ts';

/** A resource as its program asks an engine for it. */
export interface Registration {
  /** `aws:s3/bucket:Bucket` */
  readonly type: string;
  /** The logical one. */
  readonly name: string;
  readonly urn: string;
  /** An URN; empty: none, as the stack itself has. */
  readonly parent: string;
  /** A provider makes it; otherwise it is a component. */
  readonly custom: boolean;
  /** A provider's reference (`urn::id`); empty: the default one. */
  readonly provider: string;
  /** As a provider sees them: secrets are plain, and what is not known is `UNKNOWN`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The same as a person sees them who looks at state or plan: `[secret]` in the place of secrets. */
  readonly shown: Readonly<Record<string, unknown>>;
  readonly options: RegistrationOptions;
}

export interface RegistrationOptions {
  /** Null: not said. */
  readonly protect: boolean | null;
  /** Null: not said. */
  readonly deleteBeforeReplace: boolean | null;
  readonly ignoreChanges: readonly string[];
  readonly replaceOnChanges: readonly string[];
  readonly additionalSecretOutputs: readonly string[];
  readonly retainOnDelete: boolean;
  /** URNs of all that must be there before: by `dependsOn`, and by inputs that are another's outputs. */
  readonly dependencies: readonly string[];
  /** URNs by the input that needs them. */
  readonly inputDependencies: Readonly<Record<string, readonly string[]>>;
  /** Former URNs or names. */
  readonly aliases: readonly string[];
  /** Names of hooks, by when they are called: `beforeDelete`. */
  readonly hooks: Readonly<Record<string, readonly string[]>>;
}

/** @param urn the engine's, for it makes them */
export function registrationOf(request: RegisterResourceRequest, urn: string): Registration {
  const inputs = fromWire(request.getObject()?.toJavaScript() ?? {});
  return {
    type: request.getType(),
    name: request.getName(),
    urn,
    parent: request.getParent(),
    custom: request.getCustom(),
    provider: request.getProvider(),
    inputs: mapOf(revealed(inputs)),
    shown: mapOf(masked(inputs)),
    options: optionsOf(request),
  };
}

function optionsOf(request: RegisterResourceRequest): RegistrationOptions {
  return {
    protect: request.hasProtect() ? request.getProtect() === true : null,
    deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : null,
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    retainOnDelete: request.getRetainondelete() === true,
    dependencies: request.getDependenciesList(),
    inputDependencies: Object.fromEntries(
      request
        .getPropertydependenciesMap()
        .toArray()
        .map(([input]) => [input, request.getPropertydependenciesMap().get(input)?.getUrnsList() ?? []]),
    ),
    aliases: [
      ...request.getAliasurnsList(),
      ...request
        .getAliasesList()
        .map((alias) => alias.getUrn() || `${alias.getSpec()?.getType()}::${alias.getSpec()?.getName()}`),
    ],
    hooks: hooksOf(request),
  };
}

function hooksOf(request: RegisterResourceRequest): RegistrationOptions['hooks'] {
  const hooks = request.getHooks();
  const byTime = {
    beforeCreate: hooks?.getBeforeCreateList() ?? [],
    afterCreate: hooks?.getAfterCreateList() ?? [],
    beforeUpdate: hooks?.getBeforeUpdateList() ?? [],
    afterUpdate: hooks?.getAfterUpdateList() ?? [],
    beforeDelete: hooks?.getBeforeDeleteList() ?? [],
    afterDelete: hooks?.getAfterDeleteList() ?? [],
  };
  return Object.fromEntries(Object.entries(byTime).filter(([, names]) => names.length > 0));
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return isMap(value) ? value : {};
}
