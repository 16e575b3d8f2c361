import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

/** The answer of `pulumi stack output settings` for a stack: what it prints and how it ends. */
export interface FakeStack {
  /** The output as JSON; absent: the stack has none of that name. */
  readonly stdout?: string;
  /** It fails with these words. */
  readonly stderr?: string;
  /** It does not end by itself; the file gets its process id. */
  readonly hangsWith?: string;
}

/**
 * Puts a `pulumi` into a folder for a PATH. When it is asked for an output, it behaves as the real one (3.276): it looks at the
 * same arguments and the same folder, and has the same exit codes and messages.
 *
 * @returns the folder
 */
export async function installFakePulumi(
  folder: string,
  stacks: Readonly<Record<string, FakeStack>>,
): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const main = `(${behave.toString()})(${JSON.stringify({ stacks, project: REPOSITORY })});`;
  await writeFile(join(bin, 'pulumi'), `#!${process.execPath}\n${main}\n`, { mode: 0o755 });
  return bin;
}

/** Runs in the fake's own process, which knows nothing of this file. */
function behave({
  stacks,
  project,
}: {
  readonly stacks: Readonly<Record<string, FakeStack>>;
  readonly project: string;
}): void {
  const fail = (words: string): never => {
    process.stderr.write(`error: ${words}\n`);
    return process.exit(255);
  };
  const [group, command, output, ...flags] = process.argv.slice(2);
  if (group !== 'stack' || command !== 'output' || output === undefined || output.startsWith('-'))
    return fail(`unknown command "${process.argv.slice(2).join(' ')}" for "pulumi"`);
  let stack = '';
  let json = false;
  while (flags.length > 0) {
    const flag = flags.shift();
    if (flag === '--stack') stack = flags.shift() ?? '';
    else if (flag === '--json') json = true;
    else if (flag !== '--non-interactive') return fail(`unknown flag: ${flag}`);
  }
  if (process.cwd() !== project)
    return fail(`no Pulumi.yaml project file found (searching upwards from ${process.cwd()})`);
  const found = stacks[stack];
  if (found === undefined) return fail(`no stack named '${stack}' found`);
  if (found.hangsWith !== undefined) {
    process.getBuiltinModule('fs').writeFileSync(found.hangsWith, String(process.pid));
    return void setInterval(() => {}, 60_000);
  }
  if (found.stderr !== undefined) return fail(found.stderr);
  if (found.stdout === undefined || output !== 'settings')
    return fail(`current stack does not have output property '${output}'`);
  if (!json) return fail('the real one prints no JSON without --json');
  process.stdout.write(found.stdout);
}
