import type { Input } from '@pulumi/pulumi';
import { NEVER_PARAMETERS, settingsSchema as workerSchema } from '../../worker/settings-schema.ts';
import { MOST_SECONDS, sweepTimeLimitSeconds, WORK_SECONDS } from '../sweeper/time-limit.ts';
import { cidrOf } from './cidr.ts';
import { IMAGE_PATH, MOST_PATH } from './image-path.ts';
import { processorOf } from './processor.ts';
import type { StackSettings } from './schema.ts';
import type { SettingsFault } from './settings-fault.ts';

type TellFault = (path: readonly (string | number)[], message: string) => void;

/** The checks, each with the sections that it looks at. */
const CHECKS: readonly {
  readonly sections: readonly (keyof StackSettings)[];
  readonly check: (settings: StackSettings, fault: TellFault) => void;
}[] = [
  { sections: ['network'], check: checkNetwork },
  { sections: ['network', 'source', 'target'], check: checkServers },
  { sections: ['instances', 'workers', 'definitions'], check: checkInstances },
  { sections: ['fleet', 'image'], check: checkImage },
  { sections: ['target', 'target_password', 'target_api_key'], check: checkTarget },
  { sections: ['journal', 'instances', 'auto_scaling'], check: checkLeases },
  { sections: ['journal', 'auto_scaling'], check: checkSweep },
  { sections: ['watch', 'price'], check: checkWatch },
];

/** Finds settings of a stack that exclude each other. It looks only at sections that are right by themselves. */
export function faultsTogether(settings: Partial<StackSettings>): SettingsFault[] {
  const faults: SettingsFault[] = [];
  for (const { sections, check } of CHECKS) {
    if (!sections.every((section) => Object.hasOwn(settings, section))) continue;
    check(settings as StackSettings, (path, message) =>
      faults.push({ code: 'custom', path: [...path], message }),
    );
  }
  return faults;
}

function checkNetwork({ network }: StackSettings, fault: TellFault): void {
  const { orchestrator, aws_endpoints: endpoints, vpc, subnets } = network;
  if (isNobody(orchestrator))
    fault(['network', 'orchestrator'], 'Say who may call the workers: write security_groups or cidrs.');
  if (isNobody(endpoints))
    fault(
      ['network', 'aws_endpoints'],
      'Say where AWS is: write security_groups or cidrs. Workers read their settings from AWS, and end their instances there.',
    );
  if ((vpc === null) !== (subnets === null))
    fault(
      ['network', vpc === null ? 'vpc' : 'subnets'],
      'Write both network.vpc and network.subnets, or neither. Without them workers use the default VPC.',
    );
}

function checkServers({ network, source, target }: StackSettings, fault: TellFault): void {
  if (isNobody(network.database) && addressIn(source.url) === null)
    fault(
      ['network', 'database'],
      'Say where the database is: write security_groups or cidrs. Its URL has a name, and no address.',
    );
  if (isNobody(network.cluster) && addressIn(target.url) === null)
    fault(
      ['network', 'cluster'],
      'Say where the cluster is: write security_groups or cidrs. Its URL has a name, and no address.',
    );
}

function isNobody(peers: StackSettings['network']['orchestrator']): boolean {
  return peers.security_groups.length === 0 && peers.cidrs.length === 0;
}

/** The block of the address in a URL. Null: the URL has a name, or is not known yet. */
export function addressIn(url: Input<string>): string | null {
  return typeof url === 'string' ? cidrOf(new URL(url).hostname) : null;
}

function checkInstances({ instances, workers, definitions }: StackSettings, fault: TellFault): void {
  const { maximum, types, parameters } = instances;
  if (workers.minimum > workers.count)
    fault(['workers', 'minimum'], `At most workers.count, ${workers.count}.`);
  if (maximum !== null && maximum < workers.count)
    fault(['instances', 'maximum'], `At least workers.count, ${workers.count}.`);
  if (new Set(types).size < types.length) fault(['instances', 'types'], 'Each type once.');
  if (new Set(types.map(processorOf)).size > 1)
    fault(
      ['instances', 'types'],
      `All types must be for the image's processor: ${types.map((type) => `${type} is ${processorOf(type)}`).join(', ')}.`,
    );
  if (instances.definitions === null && !isPathBelow(definitions))
    fault(
      ['instances', 'definitions'],
      `Say where the image has the definitions: "${definitions}" is not a path below the image's clone.`,
    );
  for (const [name, value] of Object.entries(parameters)) {
    const sentence = parameterFault(name, value);
    if (sentence !== null) fault(['instances', 'parameters', name], sentence);
  }
}

/** The stack owns everything at the fleet's own path. An image of AWS has no worker. */
function checkImage({ fleet, image }: StackSettings, fault: TellFault): void {
  if (image.startsWith(`/reindex-fleet/${fleet}/`))
    fault(['image'], 'Give the parameter another path. This path is for parameters that the stack makes.');
  if (image.startsWith('/aws/'))
    fault(
      ['image'],
      'This is an image of AWS, which has no worker. Make an image with examples/aws/make-image.sh.',
    );
}

function isPathBelow(path: string): boolean {
  return path.length <= MOST_PATH && IMAGE_PATH.test(`/${path}`);
}

/** Parameters that the stack writes from other settings. */
const WRITTEN = new Map([
  ['token', 'The stack makes it.'],
  ['database_url', 'The stack makes it from source.url and source_password.'],
  ['search_url', 'It is target.url.'],
  ['search_username', 'It is target.username.'],
  ['search_password', 'It is target_password.'],
  ['search_api_key', 'It is target_api_key.'],
  ['port', 'It is auto_scaling.worker_port.'],
  ['definitions', 'It is instances.definitions.'],
]);

function parameterFault(name: string, value: string): string | null {
  const written = WRITTEN.get(name);
  if (written !== undefined) return written;
  const known = Object.keys(workerSchema.shape).filter(
    (key) => !NEVER_PARAMETERS.has(key) && !WRITTEN.has(key),
  );
  if (!known.includes(name)) return `Workers have no such setting in common. They have: ${known.join(', ')}.`;
  const schema = workerSchema.shape[name as keyof typeof workerSchema.shape];
  const issue = schema.safeParse(value).error?.issues[0];
  return issue === undefined ? null : `It ${issue.message}.`;
}

function checkTarget({ target, target_password, target_api_key }: StackSettings, fault: TellFault): void {
  if ((target.username === null) !== (target_password === null))
    fault(
      target.username === null ? ['target', 'username'] : ['target_password'],
      'Write both target.username and target_password, or neither.',
    );
  if (target_api_key !== null && target.username !== null)
    fault(['target_api_key'], 'Write either target_api_key, or target.username and target_password.');
}

/** Checks the order of the leases. A dead orchestrator's run can be carried on before its workers end, and they end before a sweep. */
function checkLeases({ journal, instances, auto_scaling }: StackSettings, fault: TellFault): void {
  const workersLeaseMs = workerLeaseMs(instances);
  if (workersLeaseMs <= journal.lease_ms)
    fault(
      ['instances', 'parameters', 'lease_ms'],
      `More than journal.lease_ms, ${journal.lease_ms}. With less, workers end before a person can carry their run on.`,
    );
  if (auto_scaling.sweep_grace_ms <= workersLeaseMs)
    fault(
      ['auto_scaling', 'sweep_grace_ms'],
      `More than the workers' lease, ${workersLeaseMs}. With less, a sweep ends workers whose run can still be carried on.`,
    );
}

/** A sweep that cannot finish in time never ends the instances of a dead run. */
function checkSweep({ journal, auto_scaling }: StackSettings, fault: TellFault): void {
  const leaseMs = journal.lease_ms;
  const zeroQuietMs = auto_scaling.zero_quiet_ms;
  if (sweepTimeLimitSeconds({ leaseMs, zeroQuietMs }) <= MOST_SECONDS) return;
  const mostMs = (MOST_SECONDS - WORK_SECONDS) * 1_000 - leaseMs;
  fault(
    ['auto_scaling', 'zero_quiet_ms'],
    `At most ${mostMs} with a journal.lease_ms of ${leaseMs}. A sweep must end within Lambda's 15 minutes.`,
  );
}

function workerLeaseMs({ parameters }: StackSettings['instances']): number {
  const { success, data } = workerSchema.shape.lease_ms.safeParse(parameters['lease_ms']);
  return success ? data : workerSchema.shape.lease_ms.parse(undefined);
}

function checkWatch({ watch, price }: StackSettings, fault: TellFault): void {
  if (watch.cost_per_day !== null && price === null)
    fault(['watch', 'cost_per_day'], 'This needs the price of an instance. Write price.per_hour.');
}
