import { AutoScalingClient, AutoScalingServiceException } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { AwsClients } from '../../orchestrator/aws/clients.ts';
import type { GroupPin } from '../../orchestrator/fleet/auto-scaling/group-pin.ts';
import { answersOf, type Input } from './aws-answers.ts';
import type { VirtualGroup } from './group.ts';
import type { Scheduler } from './scheduler.ts';
import type { TokenBucket } from './token-bucket.ts';

export interface VirtualAwsOptions {
  readonly scheduler: Scheduler;
  readonly group: VirtualGroup;
  /** The time from a call to its answer. */
  readonly latencyMs: number;
  /** Looks show the state of so long ago. */
  readonly staleMs: number;
  /** The allowance of all calls to Auto Scaling together; null: they are never throttled. */
  readonly bucket: TokenBucket | null;
}

export interface AwsCall {
  readonly atMs: number;
  /** The action as IAM names it, without its service. */
  readonly action: string;
  readonly instance: string | null;
  readonly isThrottled: boolean;
}

/** The source from which the instances of a virtual group are launched. */
export const VIRTUAL_PIN: GroupPin = {
  region: 'eu-central-1',
  group: 'virtual',
  template: { id: 'lt-1', version: '1' },
  image: 'ami-1',
  parameter: { name: '/virtual/image', version: 1 },
};

/**
 * AWS's clients over a virtual group, below the real adapter. They page as AWS does, take their time, and refuse calls
 * beyond the account's allowance. The SDK's own retries are left out, because they would wait by a real clock.
 */
export class VirtualAws implements AwsClients {
  readonly region = 'eu-central-1';
  readonly calls: AwsCall[] = [];
  /** The most calls that were under way at the same time. */
  mostUnderWay = 0;
  readonly #options: VirtualAwsOptions;
  #underWay = 0;

  constructor(options: VirtualAwsOptions) {
    this.#options = options;
  }

  autoScaling = (): Promise<AutoScalingClient> => Promise.resolve(this.#over(new AutoScalingClient(OFFLINE)));
  autoScalingChanges = this.autoScaling;
  ec2 = (): Promise<EC2Client> => Promise.resolve(this.#over(new EC2Client(OFFLINE)));
  ssm = (): Promise<SSMClient> => Promise.resolve(this.#over(new SSMClient(OFFLINE)));
  sts = (): Promise<never> => Promise.reject(new Error('nobody asks who calls'));
  s3 = (): Promise<never> => Promise.reject(new Error('there is no bucket'));
  close = (): void => {};

  #over<Client extends { send: unknown }>(client: Client): Client {
    const send = (command: { input: Input }): Promise<unknown> =>
      this.#call(command.constructor.name.replace(/Command$/, ''), command.input);
    return Object.assign(client, { send });
  }

  async #call(action: string, input: Input): Promise<unknown> {
    const { scheduler, latencyMs, group, staleMs } = this.#options;
    this.#underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.#underWay);
    try {
      await wait(scheduler, latencyMs / 2);
      const isThrottled = !this.#isAllowed(action);
      this.calls.push({ atMs: scheduler.nowMs, action, instance: input.InstanceId ?? null, isThrottled });
      const answer = isThrottled ? null : answersOf(group, VIRTUAL_PIN, staleMs)(action, input);
      await wait(scheduler, latencyMs / 2);
      if (answer === null) throw rateExceeded();
      return answer;
    } finally {
      this.#underWay -= 1;
    }
  }

  #isAllowed(action: string): boolean {
    const { bucket, scheduler } = this.#options;
    const isOfOtherService = action === 'DescribeInstances' || action === 'GetParameter';
    return bucket === null || isOfOtherService || bucket.take(scheduler.nowMs);
  }
}

const OFFLINE = { region: 'eu-central-1', credentials: { accessKeyId: 'none', secretAccessKey: 'none' } };

function wait(scheduler: Scheduler, ms: number): Promise<void> {
  return new Promise((resolve) => void scheduler.after(ms, resolve));
}

/** A refusal in the words of Auto Scaling. */
function rateExceeded(): Error {
  return new AutoScalingServiceException({
    name: 'Throttling',
    $fault: 'client',
    message: 'Rate exceeded',
    $metadata: { httpStatusCode: 400 },
  });
}
