import { FORMER_NAMES } from '../../orchestrator/settings-form.ts';
import { stackShape } from './schema.ts';
import type { SettingsFault } from './settings-fault.ts';

const { auto_scaling, price } = stackShape.shape;
/** Settings that were in the section `aws`, which stacks had in earlier versions. */
const HEIRS: Readonly<Record<string, object>> = {
  auto_scaling: auto_scaling.unwrap().shape,
  price: price.unwrap().unwrap().shape,
};

/** The orchestrator's former names whose new settings a stack has too. */
const FORMER = new Map(
  FORMER_NAMES.filter(([, instead]) => {
    const [section = '', name = ''] = instead.split('.');
    return Object.hasOwn(HEIRS[section] ?? {}, name);
  }),
);

/** Faults of the section `aws`, which stacks no longer have. Each setting in it is a fault that says its new name. */
export function formerFaults(aws: unknown): SettingsFault[] {
  const names = typeof aws === 'object' && aws !== null ? Object.keys(aws) : [];
  if (names.length === 0) return [{ code: 'custom', path: ['aws'], message: NONE }];
  return names.map((name) => {
    const instead = FORMER.get(`aws.${name}`);
    const message = instead === undefined ? NONE : `aws.${name} is now ${instead}.`;
    return { code: 'custom', path: ['aws', name], message };
  });
}

const NONE =
  'This is not a setting. Region and credentials are settings of the provider (`aws:region`, `aws:profile`).';
