import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { processEntry } from '../../embedded/process-table.ts';
import { type FakeStack, installFakePulumi } from '../support/fake-pulumi.ts';
import {
  type EndedCommand,
  errorOf,
  resultOf,
  type RunningCommand,
  startCommand,
} from '../support/run-command.ts';
import { eventually } from '../support/run-eventually.ts';
import type { TestScope } from '../support/run-setup.ts';

/** Commands whose settings are a stack's output, with a stand-in for Pulumi, which this machine has not. */

const DEFINITIONS = fileURLToPath(new URL('../../examples/cities/cities.yaml', import.meta.url));

interface Commands {
  readonly folder: string;
  readonly start: (args: readonly string[], environment?: Readonly<Record<string, string>>) => RunningCommand;
  readonly run: (...command: Parameters<Commands['start']>) => Promise<EndedCommand>;
}

async function commands(
  scope: TestScope,
  { stack, path }: { stack?: FakeStack; path?: string } = {},
): Promise<Commands> {
  const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-stack-'));
  scope.onTestFinished(() => rm(folder, { recursive: true }));
  const settings = {
    fleet: 'books',
    // As a stack says it: relative to the repository that it was deployed from.
    definitions: 'examples/cities/cities.yaml',
    source: { url: 'postgres://reader@db.internal/shop' },
    target: { url: 'https://search.internal:9200' },
    journal: { url: join(folder, 'journal') },
    workers: { count: 8 },
  };
  const bin = await installFakePulumi(folder, {
    production: stack ?? { stdout: JSON.stringify(settings, null, 2) },
  });
  const start: Commands['start'] = (args, environment = {}) =>
    startCommand({
      args,
      folder,
      environment: { PATH: path ?? `${bin}${delimiter}${process.env['PATH']}`, ...environment },
    });
  return { folder, start, run: (...command) => start(...command).ended };
}

const STATUS = ['status', '--stack', 'production'];

describe.concurrent('the settings taken from a stack', { timeout: 120_000 }, () => {
  it('are its output with paths in the repository, chosen by flag or environment', async (scope) => {
    const { folder, run } = await commands(scope);
    const expected = { status: 'no run yet', fleet: 'books', journal: join(folder, 'journal', 'books') };
    expect(resultOf(await run(STATUS))).toMatchObject(expected);
    expect(resultOf(await run(['status'], { REINDEX_STACK: 'production' }))).toMatchObject(expected);
  });

  it('are overridden by flags and environment, whose paths are relative to the working folder', async (scope) => {
    const { folder, run } = await commands(scope);
    const above = await run([...STATUS, '--journal', 'mine'], { REINDEX_FLEET: 'other' });
    expect(resultOf(above)).toMatchObject({ fleet: 'other', journal: join(folder, 'mine', 'other') });
  });

  it('are refused together with a settings file, except that a flag overrides a variable', async (scope) => {
    const { folder, run } = await commands(scope);
    expect(errorOf(await run([...STATUS, '--settings', 'mine.yaml']), 2)).toContain("'--stack <name>'");
    const both = { REINDEX_STACK: 'production', REINDEX_SETTINGS: 'mine.yaml' };
    expect(errorOf(await run(['status'], both), 2)).toContain('REINDEX_STACK and REINDEX_SETTINGS');
    expect(errorOf(await run(['status', '--stack', '']), 2)).toContain('--stack is empty');

    const mine = `fleet: mine\ndefinitions: ${DEFINITIONS}\nsource: { url: embedded }\ntarget: { url: embedded }\njournal: { url: here }\n`;
    await writeFile(join(folder, 'mine.yaml'), mine);
    const flagged = await run(['status', '--settings', 'mine.yaml'], { REINDEX_STACK: 'production' });
    expect(resultOf(flagged)).toMatchObject({ fleet: 'mine' });
    const stack = await run(STATUS, { REINDEX_SETTINGS: 'mine.yaml' });
    expect(resultOf(stack)).toMatchObject({ fleet: 'books' });
  });

  it('are refused by setting when this version does not accept them', async (scope) => {
    const stdout = JSON.stringify({ fleet: 'Books!', workers: { cuont: 8 } });
    const { run } = await commands(scope, { stack: { stdout } });
    const said = errorOf(await run(['plan', '--stack', 'production']), 2);
    expect(said).toMatch(/^the stack production fleet: Small letters/m);
    expect(said).toMatch(/workers\.cuont: .*Did you mean "count"/);
    expect(said).toMatch(/^the stack production: Another version of this repository may have deployed it/m);
  });

  it('are refused without pulumi on the PATH, with advice how else to get them', async (scope) => {
    const said = errorOf(await (await commands(scope, { path: '/nowhere' })).run(STATUS), 2);
    expect(said).toContain('need pulumi, and it is not on the PATH');
    expect(said).toContain('`pulumi stack output settings --json > reindex-fleet.yaml`');
  });

  it('are refused when the stack does not exist', async (scope) => {
    const { run } = await commands(scope);
    const said = errorOf(await run(['status', '--stack', '--show-secrets']), 1);
    expect(said).toContain("it ended with 255: error: no stack named '--show-secrets' found");
    expect(said).toContain('`pulumi stack ls`');
  });

  it('are refused when the stack was never deployed', async (scope) => {
    const { run } = await commands(scope, { stack: {} });
    expect(errorOf(await run(STATUS), 1)).toContain(
      "error: current stack does not have output property 'settings'",
    );
  });

  it.for(['"[secret]"', '[]', 'Please choose a stack:'])(
    'are refused when the output is no settings, and the output is not shown: %s',
    async (stdout, scope) => {
      const { run } = await commands(scope, { stack: { stdout } });
      const ended = await run(STATUS);
      expect(errorOf(ended, 1)).toContain(
        'the output settings of the stack production does not hold settings',
      );
      expect(ended.stderr).not.toContain(stdout);
    },
  );

  it('leave out Pulumi’s secrets, whatever Pulumi prints', async (scope) => {
    const stderr = "access token 'pul-abc' is wrong for https://me:hush@backend.internal/";
    const { run } = await commands(scope, { stack: { stderr } });
    const ended = await run(STATUS, { PULUMI_ACCESS_TOKEN: 'pul-abc' });
    expect(errorOf(ended, 1)).toContain("access token '…' is wrong for https://…@backend.internal/");
    expect(ended.stderr).not.toMatch(/pul-abc|hush/);
  });

  it('are not waited for after a signal', async (scope) => {
    const folder = await mkdtemp(join(tmpdir(), 'reindex-fleet-hangs-'));
    scope.onTestFinished(() => rm(folder, { recursive: true }));
    const hangsWith = join(folder, 'pid');
    const { start } = await commands(scope, { stack: { hangsWith } });
    const command = start(STATUS);
    const pid = await eventually('pulumi is asked', async () => {
      const written = await readFile(hangsWith, 'utf8').catch(() => '');
      return written === '' ? null : written;
    });
    command.child.kill('SIGTERM');
    expect(errorOf(await command.ended, 143)).toContain('interrupted by SIGTERM');
    await eventually('pulumi has ended', () => processEntry(Number(pid)) === null);
  });
});
