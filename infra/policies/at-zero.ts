import { isOfFleet, type Rule, type Violation } from './rule.ts';
import { at, isNone, isOff, listAt, UNKNOWN } from './values.ts';

/** Only the orchestrator decides how many instances there are, and which of them end. */
export const fleetAtZero: Rule = {
  name: 'fleet-at-zero',
  description:
    'A fleet has no instance between runs, launches one known template, and its group ends no instance by itself.',
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
      what: 'A deployment would launch instances. Only the orchestrator decides how many there are.',
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
      what: 'The group could end a worker at work.',
      remedy: 'Set it to true.',
    }),
    ...when(
      listAt(props, 'suspendedProcesses').every((process) => isNone(process, 'AZRebalance')),
      {
        where: 'suspendedProcesses',
        what: 'The group would end workers at work to balance zones.',
        remedy: 'Add "AZRebalance" to it.',
      },
    ),
    ...when(at(props, 'capacityRebalance') === true, {
      where: 'capacityRebalance',
      what: 'The group would end workers at work because of a rebalance recommendation.',
      remedy: 'Set it to false.',
    }),
    ...when(isNone(at(props, 'maxInstanceLifetime'), undefined, 0), {
      where: 'maxInstanceLifetime',
      what: 'The group would replace workers at work when they reach an age.',
      remedy: 'Leave it out.',
    }),
    ...when(isNone(at(props, 'instanceRefresh'), undefined), {
      where: 'instanceRefresh',
      what: 'A deployment would replace workers at work.',
      remedy: 'Leave it out.',
    }),
  ];
}

/** A run pins a template's version. It can compare it with the group's only if that is a number. */
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
      what: 'The group would launch another version as soon as the template has one.',
      remedy: 'Write the number of a version, not $Latest or $Default.',
    }));
}

function isNumbered(version: unknown): boolean {
  return version === UNKNOWN || /^[1-9]\d*$/.test(String(version));
}

function shutdown(props: unknown): Violation[] {
  return when(isNone(at(props, 'instanceInitiatedShutdownBehavior'), 'terminate'), {
    where: 'instanceInitiatedShutdownBehavior',
    what: 'A worker that shuts its machine down would leave a stopped instance. Its volume costs money.',
    remedy: 'Set it to "terminate".',
  });
}

function when(isWrong: boolean, violation: Violation): Violation[] {
  return isWrong ? [violation] : [];
}
