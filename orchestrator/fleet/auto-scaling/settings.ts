import type { z } from 'zod';
import { section } from '../../../definition/section.ts';
import { DEFAULT_PORT } from '../../../worker/contract.ts';
import type { AwsSettings } from '../../aws/aws-settings.ts';
import { ms, text, whole } from '../../setting-types.ts';

/** A name in Parameter Store: https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html */
const parameter = text.regex(
  /^[A-Za-z0-9/._-]{1,1011}$/,
  'This is no name of a parameter: letters, digits and / . _ -',
);

/** An Auto Scaling group as the fleet, in the region that `aws` names. */
export const autoScalingSection = section({
  /** Name of the Auto Scaling group. */
  group: text,
  /**
   * The parameter (data type `aws:ec2:image`) that gives the launch template its image. Null: the template itself names
   * an image.
   */
  image_parameter: parameter.nullable().default(null),
  /** The SecureString that holds the workers' bearer token. */
  token_parameter: parameter,
  /** The port that workers listen on, at their instances' private addresses. */
  worker_port: whole(1, 65_535).default(DEFAULT_PORT),
  /** The pause between two looks at group and workers. */
  poll_interval_ms: ms(3_000),
  /**
   * The longest time from a launch to a worker that answers as ready. By then machine, system, worker, database and
   * cluster are up.
   */
  ready_timeout_ms: ms(300_000),
  /**
   * How long the group may take to launch what a run asks for. Then the run goes on with the instances that came, or
   * ends.
   */
  capacity_timeout_ms: ms(600_000),
  /**
   * The group counts as being at zero when a look shows zero this long after the last change. A look may be late, and
   * AWS gives no limit for that ("a couple of seconds" up to minutes,
   * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html). A call whose answer got lost may take
   * effect until it times out, 10 s. The group acts within seconds. An instance that comes later ends by its lease.
   */
  zero_quiet_ms: ms(15_000),
  /**
   * `sweep` leaves the fleet of an unfinished run alone for this long after the run's last word. It must be more than
   * the workers' lease.
   */
  sweep_grace_ms: ms(1_800_000),
});

export type AutoScalingSettings = z.output<typeof autoScalingSection>;

/** The settings of the group, with region and profile. */
export type GroupSettings = AutoScalingSettings & Pick<AwsSettings, 'region' | 'profile'>;
