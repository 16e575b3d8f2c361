import { FORMER_NAMES } from '../../orchestrator/settings-form.ts';
import { stackShape } from './schema.ts';
import type { SettingsFault } from './settings-fault.ts';

const { auto_scaling, price } = stackShape.shape;
/** What has come from the section `aws`, which stacks had in earlier versions. */
const HEIRS: Readonly<Record<string, object>> = {
  auto_scaling: auto_scaling.unwrap().shape,
  price: price.unwrap().unwrap().shape,
};

/** The orchestrator's former names, as far as a stack has what stands in their place. */
const FORMER = new Map(
  FORMER_NAMES.filter(([, instead]) => {
    const [section = '', name = ''] = instead.split('.');
    return Object.hasOwn(HEIRS[section] ?? {}, name);
  }),
);

/** What stands in the section `aws`: it is no section of a stack any more, and each setting in it is a fault that says its name of now. */
export function formerFaults(aws: unknown): SettingsFault[] {
  const names = typeof aws === 'object' && aws !== null ? Object.keys(aws) : [];
  if (names.length === 0) return [{ code: 'custom', path: ['aws'], message: NONE }];
  return names.map((name) => {
    const instead = FORMER.get(`aws.${name}`);
    const message = instead === undefined ? NONE : `aws.${name} is now ${instead}.`;
    return { code: 'custom', path: ['aws', name], message };
  });
}

const NONE = 'This is not a setting. Region and credentials are the provider’s.';
