import type { Input, Output } from '@pulumi/pulumi';
import * as pulumi from '@pulumi/pulumi';
import type { Names } from '../names.ts';
import type { StackSettings } from './schema.ts';

/**
 * The orchestrator's whole settings, as its settings file has them. They hold no secret: the orchestrator reads passwords from
 * the workers' parameters.
 */
export function orchestratorSettings(
  settings: StackSettings,
  names: Names,
): Readonly<Record<string, Input<unknown>>> {
  const { fleet, definitions, definition, workers, ranges, validate, promote, report, price } = settings;
  const { source, target, journal, auto_scaling } = settings;
  const { lease_ms, keep_days } = journal;
  return {
    fleet,
    definitions,
    definition,
    source: { ...source, url: withoutPassword(source.url) },
    target: { ...target, url: withoutPassword(target.url) },
    journal: { url: `s3://${names.bucket}/${names.journalPrefix}`, lease_ms, keep_days },
    workers,
    ranges,
    validate,
    promote,
    report,
    price,
    aws: { region: names.place.region, worker_parameters: names.workerParameters },
    auto_scaling: {
      group: names.group,
      image_parameter: names.imageParameter,
      token_parameter: names.tokenParameter,
      ...auto_scaling,
    },
  };
}

/** The part of them that a sweep needs, as JSON, which is also YAML. A function's environment holds 4 KiB. */
export function sweeperSettingsText(settings: StackSettings, names: Names): Output<string> {
  const whole = orchestratorSettings(settings, names);
  const { fleet, definitions, source, target, journal, aws, auto_scaling } = whole;
  return pulumi.jsonStringify({ fleet, definitions, source, target, journal, aws, auto_scaling });
}

/** Takes the password out of a URL that was an output, and so was not checked. Workers get it from a SecureString. */
function withoutPassword(url: Input<string>): Input<string> {
  if (typeof url === 'string') return url;
  return pulumi.output(url).apply((plain) => {
    const shown = new URL(plain);
    shown.password = '';
    shown.searchParams.delete('password');
    return shown.href;
  });
}
