import { isOfFleet, type Rule, type Violation } from './rule.ts';
import { at, isNone, isOff, listAt, UNKNOWN } from './values.ts';

/** Only the orchestrator says how many instances there are, and which of them end. */
export const fleetAtZero: Rule = {
  name: 'fleet-at-zero',
  description:
    'A fleet rests at zero, launches one known template, and no instance ends by the group’s own choice.',
  check: (resource) => {
    if (!isOfFleet(resource)) return [];
    switch (resource.type) {
      case 'aws:autoscaling/group:Group':
        return [...size(resource.props), ...victims(resource.props), ...templates(resource.props)];
      case 'aws:ec2/launchTemplate:LaunchTemplate':
        return shutdown(resource.props);
      default:
        return [];
    }
  },
};

function size(props: unknown): Violation[] {
  const desired = at(props, 'desiredCapacity');
  return [
    ...when(isNone(at(props, 'minSize'), 0), {
      where: 'minSize',
      what: 'The group would keep instances without a run.',
      remedy: 'Set it to 0.',
    }),
    ...when(typeof desired === 'number' && desired > 0, {
      where: 'desiredCapacity',
      what: 'A deployment would launch instances; how many there are is the orchestrator’s to say.',
      remedy: 'Leave it out.',
    }),
    ...when(isNone(at(props, 'warmPool'), undefined), {
      where: 'warmPool',
      what: 'The group would keep instances, stopped or running, without a run.',
      remedy: 'Leave it out.',
    }),
  ];
}

function victims(props: unknown): Violation[] {
  return [
    ...when(isOff(at(props, 'protectFromScaleIn')), {
      where: 'protectFromScaleIn',
      what: 'The group may choose which worker ends, also one at work.',
      remedy: 'Set it to true.',
    }),
    ...when(
      listAt(props, 'suspendedProcesses').every((process) => isNone(process, 'AZRebalance')),
      {
        where: 'suspendedProcesses',
        what: 'The group would end workers at work to even out zones.',
        remedy: 'Put "AZRebalance" into it.',
      },
    ),
    ...when(at(props, 'capacityRebalance') === true, {
      where: 'capacityRebalance',
      what: 'The group would end workers at work at a mere recommendation.',
      remedy: 'Set it to false.',
    }),
    ...when(isNone(at(props, 'maxInstanceLifetime'), undefined, 0), {
      where: 'maxInstanceLifetime',
      what: 'The group would replace workers at work that it finds too old.',
      remedy: 'Leave it out.',
    }),
    ...when(isNone(at(props, 'instanceRefresh'), undefined), {
      where: 'instanceRefresh',
      what: 'A deployment would replace workers at work.',
      remedy: 'Leave it out.',
    }),
  ];
}

/** A run pins a template's version, and can hold it against the group's only if that is a number. */
function templates(props: unknown): Violation[] {
  const mixed = 'mixedInstancesPolicy.launchTemplate';
  const inMixed = at(props, ...mixed.split('.'));
  const all = [
    { where: 'launchTemplate', template: at(props, 'launchTemplate') },
    {
      where: `${mixed}.launchTemplateSpecification`,
      template: at(inMixed, 'launchTemplateSpecification'),
    },
    ...listAt(inMixed, 'overrides').map((override, index) => ({
      where: `${mixed}.overrides[${index}].launchTemplateSpecification`,
      template: at(override, 'launchTemplateSpecification'),
    })),
  ].filter(({ template }) => template !== undefined);
  if (all.length === 0) {
    const where = 'mixedInstancesPolicy';
    return [{ where, what: 'The group has no launch template.', remedy: 'Give it one, by id and number.' }];
  }
  return all
    .filter(({ template }) => !isNumbered(at(template, 'version')))
    .map(({ where }) => ({
      where: `${where}.version`,
      what: 'The group would launch something else as soon as the template has another version.',
      remedy: 'Give the version’s number ($Latest and $Default are none).',
    }));
}

function isNumbered(version: unknown): boolean {
  return version === UNKNOWN || /^[1-9]\d*$/.test(String(version));
}

function shutdown(props: unknown): Violation[] {
  return when(isNone(at(props, 'instanceInitiatedShutdownBehavior'), 'terminate'), {
    where: 'instanceInitiatedShutdownBehavior',
    what: 'A worker that shuts its machine down would leave a stopped instance, whose volume costs.',
    remedy: 'Set it to "terminate".',
  });
}

function when(isWrong: boolean, violation: Violation): Violation[] {
  return isWrong ? [violation] : [];
}
