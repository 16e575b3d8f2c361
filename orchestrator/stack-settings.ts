import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Faults } from '../definition/faults.ts';
import { RunFailed, UsageFault } from './errors.ts';
import { jsonIn } from './json-text.ts';
import { type Environment, type SettingsAbove, settingsFrom, type Settings } from './settings.ts';

/** Where Pulumi.yaml is. */
const REPOSITORY = fileURLToPath(new URL('../', import.meta.url));
/** Pulumi reads the stack's state from its backend, over the network; it has time for a slow one. */
const TIMEOUT_MS = 60_000;
const OUTPUT = 'settings';
const ONCE = `pulumi stack output ${OUTPUT} --json > reindex-fleet.yaml`;

/**
 * The settings that a stack of this repository has as its output, and what stands above them. Paths in them are relative
 * to the repository's root.
 *
 * @param stack as `pulumi stack ls` names it
 * @throws UsageFault when there is no Pulumi on this machine; RunFailed when it does not give the output; Faults as
 *   `loadSettings`
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

/** Nobody has the JSON that lines and columns would be of, nor writes it by hand. */
function ofOutput({ faults }: Faults, file: string): Faults {
  const none = { line: null, column: null };
  const own = faults.map((fault) => (fault.file === file ? { ...fault, ...none } : fault));
  if (own.every((fault) => fault.file !== file)) return new Faults(own);
  const message =
    'It may be of another version of this repository: deploy it with this one (`npm run pulumi -- up`).';
  return new Faults([...own, { file, ...none, path: '', message }]);
}

/** @returns JSON */
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
      `the output ${OUTPUT} of the stack ${stack} is no settings: pulumi printed ${found === undefined ? 'no JSON' : 'JSON that is no object'} (${stdout.length} characters). Is it a stack of this repository, deployed by this version?`,
    );
  return stdout;
}

interface PulumiRun {
  /** Null: it exited with 0. */
  readonly failure: { readonly code: unknown; readonly killed: boolean } | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Without a shell, and without anybody to answer its questions. */
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
      `there is no pulumi on the PATH to ask for the settings of the stack ${stack}: install it (https://www.pulumi.com/docs/install/), or write the file once where it is (\`${ONCE}\`) and give it with --settings`,
    );
  const how = killed ? `gave no answer within ${TIMEOUT_MS / 1000} s` : `ended with ${String(code)}`;
  return new RunFailed(
    `pulumi does not give the settings of the stack ${stack}: it ${how}${words === '' ? '' : `: ${words}`} (\`pulumi stack ls\` in ${REPOSITORY} shows which stacks there are, \`pulumi stack output --stack ${stack}\` what one gives; \`pulumi up\` makes the output ${OUTPUT})`,
  );
}

/** Variables whose values are to be kept, Pulumi's own (PULUMI_ACCESS_TOKEN, PULUMI_CONFIG_PASSPHRASE) among them. */
const SECRET_VARIABLES = /SECRET|PASSWORD|PASSPHRASE|TOKEN|ACCESS_KEY|API_KEY/i;
const WORDS_KEPT = 1_000;

/** What a program said, on one line, without what its environment holds in secret or a URL has before its host. */
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
