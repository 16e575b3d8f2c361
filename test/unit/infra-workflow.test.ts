import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

/** The workflow that users run. Nothing here can run it; what it names must be there. */

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly on: unknown;
  readonly permissions: unknown;
  readonly concurrency: { readonly 'cancel-in-progress': boolean };
  readonly jobs: Readonly<
    Record<string, { readonly if: string; readonly permissions: unknown; readonly steps: readonly Step[] }>
  >;
}

const fileOf = (path: string) => new URL(`../../${path}`, import.meta.url);
const read = (path: string) => readFileSync(fileOf(path), 'utf8');
const workflow = parse(read('.github/workflows/pulumi-preview.yml')) as Workflow;
const jobs = Object.values(workflow.jobs);
const steps = jobs.flatMap((job) => job.steps);
const commands = steps.flatMap(({ run }) => run ?? []).join('\n');

test('the preview workflow runs for pull requests, may read the repository and assume its role, and nothing else', () => {
  expect(workflow.on).toBe('pull_request');
  expect(workflow.permissions).toEqual({});
  expect(jobs.map(({ permissions }) => permissions)).toEqual([{ contents: 'read', 'id-token': 'write' }]);
  expect(workflow.concurrency['cancel-in-progress']).toBe(true);
});

test('the preview workflow is off until its variables are set, and off for forks', () => {
  for (const job of jobs) {
    for (const name of ['PULUMI_STACK', 'AWS_REGION', 'AWS_ROLE_TO_ASSUME'])
      expect(job.if).toContain(`vars.${name} != ''`);
    expect(job.if).toContain('github.event.pull_request.head.repo.full_name == github.repository');
  }
});

test('the preview workflow uses each action at a fixed major version', () => {
  const uses = steps.flatMap((step) => step.uses ?? []);
  expect(uses.length).toBeGreaterThan(3);
  for (const action of uses) expect(action).toMatch(/^[a-z-]+\/[a-z-]+@v\d+$/);
});

test('the preview workflow names only scripts and paths that exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...commands.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, script = '']) => script);
  expect(named).toEqual(['pulumi']);
  for (const script of named) expect(Object.keys(scripts)).toContain(script);
  const paths = [...commands.matchAll(/(?:--policy-pack|^node) (\S+)/gm)].map(([, path = '']) => path);
  expect(paths).toEqual(['bootstrap.mjs', 'infra/policies']);
  for (const path of paths) expect(existsSync(fileOf(path))).toBe(true);
  expect(existsSync(fileOf('infra/policies/PulumiPolicy.yaml'))).toBe(true);
});

test('the preview workflow puts no GitHub expression into a command, and gives secrets only to the step that needs them', () => {
  expect(commands).not.toContain('${{');
  const withSecrets = steps.filter((step) => JSON.stringify(step).includes('secrets.'));
  expect(withSecrets.map(({ run }) => run?.includes('preview --stack'))).toEqual([true]);
});

test('the preview workflow fails its job when the preview fails', () => {
  const piped = steps.flatMap(({ run }) => (run?.includes('| tee') ? [run] : []));
  expect(piped).toEqual([expect.stringMatching(/^set -o pipefail$/m)]);
});
