import type { AutoScalingGroup, Instance as GroupMember } from '@aws-sdk/client-auto-scaling';
import type { Instance } from '@aws-sdk/client-ec2';
import { PLAIN_INSTANCE } from '../../reconcile/observation.ts';
import type { FleetInstance } from '../fleet.ts';
import { isNumbered, type NamedTemplate, named, templateWords } from './launch-template.ts';
import type { GroupPin } from './group-pin.ts';

export interface InstanceOptions {
  /** The run that owns an instance. Null when it is not known to belong to the asking run. */
  readonly runOf: (instance: string) => string | null;
  /** What instances must be launched from. Null: anything will do. */
  readonly pin: GroupPin | null;
  readonly workerPort: number;
}

/** Every instance of the group that EC2 knows, and those that only the group knows yet. */
export function instancesOf(
  group: AutoScalingGroup,
  instances: readonly Instance[],
  options: InstanceOptions,
): FleetInstance[] {
  const members = new Map((group.Instances ?? []).map((member) => [member.InstanceId ?? '', member]));
  const known = new Set(instances.map(({ InstanceId }) => InstanceId ?? ''));
  const unknown = [...members].filter(([id]) => !known.has(id));
  return [
    ...instances.map((instance) =>
      describeInstance(instance, members.get(instance.InstanceId ?? ''), options),
    ),
    ...unknown.map(([id, member]) => describeMember(id, member, options)),
  ];
}

function describeInstance(
  instance: Instance,
  member: GroupMember | undefined,
  options: InstanceOptions,
): FleetInstance {
  const { InstanceId = '', PrivateIpAddress, State, LaunchTime } = instance;
  const phase = PHASES[State?.Name ?? 'pending'] ?? 'pending';
  const isUp = State?.Name === 'running' && PrivateIpAddress !== undefined;
  return {
    id: InstanceId,
    phase,
    run: options.runOf(InstanceId),
    detail: endOf(instance),
    misfit: asideOf(member) ?? misfitBeside(options.pin, instance, member),
    launchedAt: LaunchTime?.toISOString() ?? null,
    endedAt: phase === 'terminating' || phase === 'gone' ? endTimeOf(instance) : null,
    url: isUp ? `http://${PrivateIpAddress}:${options.workerPort}` : null,
  };
}

/** EC2's state decides, because it is what costs money. A stopped instance may run again. */
const PHASES: Readonly<Record<string, FleetInstance['phase']>> = {
  pending: 'pending',
  running: 'running',
  stopping: 'running',
  stopped: 'running',
  'shutting-down': 'terminating',
  terminated: 'gone',
};

/** DescribeInstances lags behind: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html */
function describeMember(
  id: string,
  { LifecycleState }: GroupMember,
  { runOf }: InstanceOptions,
): FleetInstance {
  const phase = LifecycleState?.startsWith('Terminat') === true ? 'terminating' : 'pending';
  return { id, phase, run: runOf(id), ...PLAIN_INSTANCE, url: null };
}

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html */
const ASIDE = /^(Terminating:|Standby$|EnteringStandby$|Detaching$)/;

/** Why an instance gets no work: the group has set it aside, or a lifecycle hook delays its end. */
function asideOf(member: GroupMember | undefined): string | null {
  const state = member?.LifecycleState ?? '';
  return ASIDE.test(state) ? `its group has put it in the state ${state}` : null;
}

function misfitBeside(
  pin: GroupPin | null,
  instance: Instance,
  member: GroupMember | undefined,
): string | null {
  return pin && misfitOf(instance, templateOfInstance(instance, member), pin);
}

function misfitOf({ ImageId }: Instance, template: NamedTemplate | null, pin: GroupPin): string | null {
  if (ImageId !== undefined && ImageId !== pin.image)
    return `it was launched from the image ${ImageId}, but this run is pinned to ${pin.image}`;
  if (template === null || (template.id === pin.template.id && template.version === pin.template.version))
    return null;
  return `it was launched from ${templateWords(template)}, but this run is pinned to ${templateWords(pin.template)}`;
}

/**
 * Finds what an instance was launched from. The group knows it while it has the instance. After that, EC2's own tags
 * say it: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/use-launch-templates-to-control-launching-instances.html
 */
function templateOfInstance({ Tags = [] }: Instance, member: GroupMember | undefined): NamedTemplate | null {
  const ofMember = named(member?.LaunchTemplate);
  if (ofMember !== null && isNumbered(ofMember)) return ofMember;
  const tag = (key: string): string | undefined => Tags.find(({ Key }) => Key === key)?.Value;
  const [id, version] = [tag('aws:ec2launchtemplate:id'), tag('aws:ec2launchtemplate:version')];
  return id === undefined || version === undefined ? null : { id, version };
}

/** Why an instance ended or stopped without a call for it. */
function endOf({ State, StateReason, StateTransitionReason }: Instance): string | null {
  if (State?.Name === 'pending' || State?.Name === 'running') return null;
  const { Code: code = '', Message: message = '' } = StateReason ?? {};
  if (code.startsWith('Client.User') || StateTransitionReason?.startsWith('User initiated') === true)
    return null;
  const words = message.startsWith(code) ? message : `${code}: ${message}`;
  return [words, StateTransitionReason].find((text) => text !== undefined && text !== '') ?? null;
}

/** Reads the time from `User initiated (2026-11-22 10:00:00 GMT)`. Some reasons carry no time. */
function endTimeOf({ StateTransitionReason = '' }: Instance): string | null {
  const [, day, time] =
    /\((\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?: (?:GMT|UTC))?\)/.exec(StateTransitionReason) ?? [];
  return day === undefined || time === undefined ? null : new Date(`${day}T${time}Z`).toISOString();
}
