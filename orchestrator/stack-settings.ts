import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Faults } from '../definition/faults.ts';
import { RunFailed, UsageFault } from './errors.ts';
import { jsonIn } from './json-text.ts';
import { type Environment, type SettingsAbove, settingsFrom, type Settings } from './settings.ts';

/** The folder of Pulumi.yaml. */
const REPOSITORY = fileURLToPath(new URL('../', import.meta.url));
/** Pulumi reads the stack's state from its backend over the network. This leaves time for a slow one. */
const TIMEOUT_MS = 60_000;
const OUTPUT = 'settings';
const ONCE = `pulumi stack output ${OUTPUT} --json > reindex-fleet.yaml`;

/**
 * Loads the settings that a stack of this repository has as its output, and the values that come before them. Paths in
 * them are relative to the repository's root.
 *
 * @param stack its name in `pulumi stack ls`
 * @throws UsageFault when this machine has no Pulumi, RunFailed when Pulumi does not give the output, Faults as
 * `loadSettings`
 */
export async function loadStackSettings(
  stack: string,
  above: SettingsAbove,
  signal: AbortSignal,
): Promise<Settings> {
  const text = await readOutput(stack, above.environment, signal);
  const file = `the stack ${stack}`;
  try {
    return settingsFrom({ text, file, folder: REPOSITORY }, above);
  } catch (error) {
    throw error instanceof Faults ? ofOutput(error, file) : error;
  }
}

/** Removes lines and columns from faults. Nobody has the JSON that they refer to, or writes it by hand. */
function ofOutput({ faults }: Faults, file: string): Faults {
  const none = { line: null, column: null };
  const own = faults.map((fault) => (fault.file === file ? { ...fault, ...none } : fault));
  if (own.every((fault) => fault.file !== file)) return new Faults(own);
  const message =
    'Another version of this repository may have deployed it: deploy it with this one (`npm run pulumi -- up`).';
  return new Faults([...own, { file, ...none, path: '', message }]);
}

/** @returns the output as JSON */
async function readOutput(stack: string, environment: Environment, signal: AbortSignal): Promise<string> {
  const { failure, stdout, stderr } = await runPulumi(
    ['stack', 'output', OUTPUT, '--json', '--stack', stack, '--non-interactive'],
    environment,
    signal,
  );
  signal.throwIfAborted();
  if (failure !== null) throw pulumiFailure(stack, failure, withoutSecrets(stderr, environment));
  const found = jsonIn(stdout);
  if (typeof found !== 'object' || found === null || Array.isArray(found))
    throw new RunFailed(
      `the output ${OUTPUT} of the stack ${stack} does not hold settings: pulumi printed ${found === undefined ? 'no JSON' : 'JSON that is not an object'} (${stdout.length} characters). Name a stack of this repository, and deploy it with this version`,
    );
  return stdout;
}

interface PulumiRun {
  /** Null when it exited with 0. */
  readonly failure: { readonly code: unknown; readonly killed: boolean } | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Pulumi without a shell. Nobody answers its questions. */
function runPulumi(
  args: readonly string[],
  environment: Environment,
  signal: AbortSignal,
): Promise<PulumiRun> {
  return new Promise((resolve) => {
    const options = { cwd: REPOSITORY, env: environment, timeout: TIMEOUT_MS, signal };
    const child = execFile('pulumi', args, options, (error, stdout, stderr) => {
      const failure = error === null ? null : { code: error.code, killed: error.killed === true };
      resolve({ failure, stdout, stderr });
    });
    child.stdin?.end();
  });
}

function pulumiFailure(
  stack: string,
  { code, killed }: NonNullable<PulumiRun['failure']>,
  words: string,
): Error {
  if (code === 'ENOENT')
    return new UsageFault(
      `the settings of the stack ${stack} need pulumi, and it is not on the PATH: install it (https://www.pulumi.com/docs/install/), or write the settings to a file on a machine that has it (\`${ONCE}\`) and give that with --settings`,
    );
  const how = killed ? `gave no answer within ${TIMEOUT_MS / 1000} s` : `ended with ${String(code)}`;
  return new RunFailed(
    `pulumi does not give the settings of the stack ${stack}: it ${how}${words === '' ? '' : `: ${words}`} (\`pulumi stack ls\` in ${REPOSITORY} lists the stacks, \`pulumi stack output --stack ${stack}\` shows the outputs of one, and \`pulumi up\` makes the output ${OUTPUT})`,
  );
}

/** Variables whose values are secret, including Pulumi's own (PULUMI_ACCESS_TOKEN, PULUMI_CONFIG_PASSPHRASE). */
const SECRET_VARIABLES = /SECRET|PASSWORD|PASSPHRASE|TOKEN|ACCESS_KEY|API_KEY/i;
const WORDS_KEPT = 1_000;

/**
 * What a program said, on one line. It leaves out secrets of the environment and whatever a URL has before its host.
 */
function withoutSecrets(said: string, environment: Environment): string {
  const secrets = Object.entries(environment).flatMap(([name, value = '']) =>
    SECRET_VARIABLES.test(name) && value !== '' ? [value] : [],
  );
  const words = secrets
    .toSorted((one, other) => other.length - one.length)
    .reduce((text, secret) => text.replaceAll(secret, '…'), said)
    .replaceAll(/\/\/[^\s/@]+@/g, '//…@')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return words.length > WORDS_KEPT ? `${words.slice(0, WORDS_KEPT)} …` : words;
}
