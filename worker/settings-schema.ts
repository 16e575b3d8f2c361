import { hostname } from 'node:os';
import { z } from 'zod';
import { DEFAULT_PORT, tokenSchema } from './contract.ts';

/**
 * The worker's settings, what each is and may be: one place for help, check and type. Where they come from:
 * settings.ts.
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

/** The machine's own settings: needed before the parameters can be read, or when they cannot. */
const machineShape = {
  platform: z
    .enum(['local', 'ec2'], 'is local or ec2')
    .default('local')
    .describe(
      'local, or ec2: an instance of an Auto Scaling group, which gives id and host (by its metadata) and which the worker ends with itself',
    ),
  parameters: z
    .string()
    .regex(/^(\/[A-Za-z0-9_.-]+)+$/, 'is a path of Parameter Store, such as /reindex-fleet/books/worker')
    .nullable()
    .default(null)
    .describe(
      'on ec2: path in Parameter Store; each parameter directly below it is a setting by its last name, below environment and flags',
    ),
  metadata_url: urlOf('http:')
    .default('http://169.254.169.254')
    .describe(
      "on ec2: the instance metadata service; default: AWS_EC2_METADATA_SERVICE_ENDPOINT, as in AWS's SDK, or the service's usual address",
    ),
  boot_timeout_ms: wholeNumber(100, DAY_MS)
    .default(60_000)
    .describe('on ec2: how long metadata and Parameter Store are asked again at boot, each'),
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
      'on ec2: the last resort to end the instance, split at spaces, run without a shell; the instance is set to terminate when it is shut down',
    ),
};

const logLevel = z
  .enum(['debug', 'info', 'warn', 'error', 'silent'], 'is debug, info, warn, error or silent')
  .default('info')
  .describe('least level that is logged');

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
        'how long a drained worker waits after its last task for an orchestrator to ask how it ended',
      ),
    notice_interval_ms: wholeNumber(100, DAY_MS)
      .default(5_000)
      .describe(
        'on ec2: how often the metadata is looked at for notices that the instance will be taken away (AWS recommends 5 s)',
      ),
    notice_margin_ms: wholeNumber(0, DAY_MS)
      .default(20_000)
      .describe(
        'on ec2: how long before a Spot interruption the running task is cancelled, so that an orchestrator sees what it settled',
      ),
    batch_bytes: wholeNumber(64 * 1024, 64 * MIB)
      .default(4 * MIB)
      .describe('size of a bulk request; larger where a definition allows larger documents'),
    max_bytes_in_flight: wholeNumber(64 * 1024, 1024 * MIB)
      .default(16 * MIB)
      .describe('most bytes on their way to the cluster; also what the buffers take of memory'),
    search_timeout_ms: wholeNumber(100, 3_600_000).default(60_000).describe('time limit of one bulk request'),
    cool_down_ms: wholeNumber(0, 3_600_000)
      .default(30_000)
      .describe('how long a timed-out bulk counts as in flight, for the cluster still executes it'),
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
        `is missing: without a token the worker listens on loopback only, not on ${settings.host}`,
      );
    }
    if ((settings.search_username === null) !== (settings.search_password === null)) {
      fault('search_password', 'and REINDEX_WORKER_SEARCH_USERNAME are given both or not at all');
    }
    if (settings.search_api_key !== null && settings.search_username !== null) {
      fault('search_api_key', 'and REINDEX_WORKER_SEARCH_USERNAME exclude each other: give one');
    }
    if (settings.parameters !== null && settings.platform !== 'ec2') {
      fault('parameters', 'is for the platform ec2, whose metadata says the region of Parameter Store');
    }
  });

/** Secrets, or URLs that may hold one: a command line can be read by every user of the machine. */
export const ENVIRONMENT_ONLY: ReadonlySet<string> = new Set([
  'token',
  'database_url',
  'search_url',
  'search_username',
  'search_password',
  'search_api_key',
]);

/** What is each machine's own, and so no parameter, which all machines of a fleet share. */
export const NEVER_PARAMETERS: ReadonlySet<string> = new Set([...Object.keys(machineShape), 'id', 'host']);

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
