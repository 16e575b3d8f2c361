import { hostname } from 'node:os';
import { z } from 'zod';
import { DEFAULT_PORT, tokenSchema } from './contract.ts';

/**
 * The worker's settings. Help, checks and types come from here. settings.ts says where the values come from.
 */

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;

const wholeNumber = (low: number, high: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'is a whole number')
    .transform(Number)
    .pipe(z.int().min(low, `is at least ${low}`).max(high, `is at most ${high}`));

const yesOrNo = z
  .enum(['true', 'false', '1', '0'], 'is true or false')
  .transform((text) => text === 'true' || text === '1');

const urlOf = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `is a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

/** The machine's own settings. They are needed before the parameters are read, and also when these cannot be read. */
const machineShape = {
  platform: z
    .enum(['local', 'ec2'], 'is local or ec2')
    .default('local')
    .describe(
      'local or ec2; on ec2, an instance of an Auto Scaling group, id and host come from its metadata, and the worker ends the instance when it ends',
    ),
  parameters: z
    .string()
    .regex(/^(\/[A-Za-z0-9_.-]+)+$/, 'is a path of Parameter Store, such as /reindex-fleet/books/worker')
    .nullable()
    .default(null)
    .describe(
      'on ec2: path in Parameter Store; each parameter directly below it is a setting, by its last name; environment and flags override it',
    ),
  metadata_url: urlOf('http:')
    .default('http://169.254.169.254')
    .describe(
      "on ec2: URL of the instance metadata service; by default AWS_EC2_METADATA_SERVICE_ENDPOINT, as in AWS's SDK, or the service's usual address",
    ),
  boot_timeout_ms: wholeNumber(100, DAY_MS)
    .default(60_000)
    .describe(
      'on ec2: how long the worker tries at boot to reach the metadata service, and then Parameter Store',
    ),
  retire_timeout_ms: wholeNumber(100, DAY_MS)
    .default(60_000)
    .describe(
      'on ec2: how long the worker asks the group to terminate its instance, before it shuts the machine down',
    ),
  shutdown_command: z
    .string()
    .trim()
    .min(1, 'is not empty')
    .default('shutdown -h now')
    .describe(
      'on ec2: command that shuts the machine down if the group does not end the instance; it is split at spaces and run without a shell; the instance must be set to terminate when it shuts down',
    ),
};

const logLevel = z
  .enum(['debug', 'info', 'warn', 'error', 'silent'], 'is debug, info, warn, error or silent')
  .default('info')
  .describe('the lowest level that is logged');

export const bootSchema = z.object({ ...machineShape, log_level: logLevel });

export const settingsSchema = z
  .strictObject({
    ...machineShape,
    host: z
      .string()
      .default('127.0.0.1')
      .describe(
        "address to listen on; other than loopback only with a token; on ec2 by default the instance's private address",
      ),
    port: wholeNumber(0, 65_535).default(DEFAULT_PORT).describe('port to listen on; 0: any free one'),
    id: z
      .string()
      .max(255, 'has at most 255 characters')
      .default(hostname)
      .describe("name of this worker; default: the host name, on ec2 the instance's id"),
    definitions: z.string({ error: 'is missing' }).describe('file or folder of index definitions'),
    lease_ms: wholeNumber(1_000, DAY_MS)
      .default(300_000)
      .describe("time without an orchestrator's call after which the worker ends"),
    drain_linger_ms: wholeNumber(0, DAY_MS)
      .default(30_000)
      .describe(
        'how long a worker that drains waits after its last task for an orchestrator to ask how its tasks ended',
      ),
    notice_interval_ms: wholeNumber(100, DAY_MS)
      .default(5_000)
      .describe(
        'on ec2: how often the worker looks for notices that AWS will take the instance away (AWS recommends 5 s)',
      ),
    notice_margin_ms: wholeNumber(0, DAY_MS)
      .default(20_000)
      .describe(
        'on ec2: how long before a Spot interruption the worker cancels the running task, so that an orchestrator sees what is settled',
      ),
    batch_bytes: wholeNumber(64 * 1024, 64 * MIB)
      .default(2 * MIB)
      .describe('a bulk request is sent when it has this many bytes; a large document may make it larger'),
    max_bytes_in_flight: wholeNumber(64 * 1024, 1024 * MIB)
      .default(8 * MIB)
      .describe(
        'the most bytes in flight to the cluster; the buffers take as much memory, or more with large documents',
      ),
    search_timeout_ms: wholeNumber(100, 3_600_000).default(60_000).describe('time limit of one bulk request'),
    cool_down_ms: wholeNumber(0, 3_600_000)
      .default(30_000)
      .describe(
        'how long a timed-out bulk still counts as in flight, because the cluster may still execute it',
      ),
    exit_with_parent: yesOrNo.default(false).describe('end when standard input is closed'),
    log_level: logLevel,
    token: tokenSchema.nullable().default(null),
    database_url: urlOf('postgres:', 'postgresql:'),
    search_url: urlOf('http:', 'https:'),
    search_username: z.string().nullable().default(null),
    search_password: z.string().nullable().default(null),
    search_api_key: z.string().nullable().default(null),
  })
  .superRefine((settings, context) => {
    const fault = (name: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [name], message });
    if (settings.token === null && !isLoopback(settings.host)) {
      fault(
        'token',
        `is missing; without a token the worker listens only on loopback, not on ${settings.host}`,
      );
    }
    if ((settings.search_username === null) !== (settings.search_password === null)) {
      fault('search_password', 'and REINDEX_WORKER_SEARCH_USERNAME belong together; set both or neither');
    }
    if (settings.search_api_key !== null && settings.search_username !== null) {
      fault('search_api_key', 'and REINDEX_WORKER_SEARCH_USERNAME exclude each other; set one of them');
    }
    if (settings.parameters !== null && settings.platform !== 'ec2') {
      fault(
        'parameters',
        'is only for the platform ec2, whose metadata has the region of Parameter Store; set the platform to ec2 or remove this',
      );
    }
  });

/** Secrets, and URLs that may hold one. They are no flags, because every user of the machine can read a command line. */
export const ENVIRONMENT_ONLY: ReadonlySet<string> = new Set([
  'token',
  'database_url',
  'search_url',
  'search_username',
  'search_password',
  'search_api_key',
]);

/** Settings that differ between machines. They are no parameters, because all machines of a fleet share those. */
export const NEVER_PARAMETERS: ReadonlySet<string> = new Set([...Object.keys(machineShape), 'id', 'host']);

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
