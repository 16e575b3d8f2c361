import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorOf, resultOf } from '../support/run-command.ts';
import { PLACES, placesDatabase } from '../support/run-table.ts';
import { type RunSetup, SEARCH_URL, setUpRun, type TestScope } from '../support/run-setup.ts';
import { onlyTarget } from '../support/run-values.ts';
import { call, count } from '../support/search-calls.ts';

/** A run holds its alias in the cluster, where runs of other fleets and journals see it. */

const database = placesDatabase();
/** For a test of many commands, each of which starts processes. */
const LONG = { timeout: 120_000 };

const places = (scope: TestScope): Promise<RunSetup> =>
  setUpRun(scope, {
    databaseUrl: database.url(),
    definition: PLACES,
    settings: { workers: { count: 1 } },
  });

/** Another fleet, or the same one with another journal, on the same alias. */
async function otherOn(
  setup: RunSetup,
  changes: Readonly<Record<string, unknown>>,
): Promise<(name: string, ...args: string[]) => ReturnType<RunSetup['run']>> {
  const settings = JSON.parse(await readFile(join(setup.folder, 'reindex-fleet.yaml'), 'utf8')) as object;
  const file = join(setup.folder, `other-${Object.keys(changes).join('-')}.yaml`);
  await writeFile(file, JSON.stringify({ ...settings, ...changes }));
  // The last --settings counts.
  return (name, ...args) => setup.run(name, '--settings', file, ...args);
}

const claimOn = async (alias: string) =>
  (await call(SEARCH_URL, 'GET', `/${alias}-claims/_doc/claim`)).body as {
    _source?: { claim: Record<string, unknown> };
  };

describe('an alias that a run has claimed', () => {
  it(
    'is refused to another fleet and to another journal of the same fleet, until the run ends',
    LONG,
    async (scope) => {
      const setup = await places(scope);
      const fleet = await otherOn(setup, { fleet: 'another' });
      const journal = await otherOn(setup, { journal: { url: 'elsewhere', lease_ms: 3_000 } });
      resultOf(await setup.run('claim', '--run-key', 'one'));
      expect((await claimOn(setup.alias))._source?.claim).toMatchObject({
        fleet: setup.alias,
        run_key: 'one',
        journal: setup.journal,
        serves: [],
      });
      for (const other of [fleet, journal]) {
        const refused = errorOf(await other('run', '--run-key', 'two'), 3);
        expect(refused).toContain(`claimed by the run with key one of the fleet ${setup.alias}`);
        expect(refused).toContain(`journal ${setup.journal}`);
      }
      resultOf(await setup.run('run', '--run-key', 'one'));
      expect(await claimOn(setup.alias)).toMatchObject({ found: false });
      // The refused run has given its fleet back, so the same key begins now.
      resultOf(await journal('claim', '--run-key', 'two'));
    },
  );

  it(
    'is free for another fleet after the run, which replaces no foreign index unless a person accepts it',
    LONG,
    async (scope) => {
      const setup = await places(scope);
      const fleet = await otherOn(setup, { fleet: 'another' });
      const { index } = onlyTarget(resultOf(await setup.run('run', '--run-key', 'one')));
      expect(errorOf(await fleet('run', '--run-key', 'two'), 1)).toContain(`${String(index)} (the fleet`);
      expect(await setup.served()).toEqual([index]);
      // A run by phases says at its first one what it accepts.
      resultOf(await fleet('claim', '--run-key', 'two', '--replace-foreign'));
      resultOf(await fleet('run', '--run-key', 'two', '--replace-foreign'));
      expect(errorOf(await setup.run('rollback'), 1)).toContain('there is nothing to roll back to');
    },
  );

  it('is no alias of the run when the claim finds no place in the cluster, and nothing is left', {
    tags: 'long',
  }, async (scope) => {
    const setup = await places(scope);
    const template = `/_index_template/${setup.alias}-claims`;
    const settings = { 'routing.allocation.require.box': 'nowhere' };
    await call(SEARCH_URL, 'PUT', template, {
      index_patterns: [`${setup.alias}-claims`],
      template: { settings },
    });
    scope.onTestFinished(() => call(SEARCH_URL, 'DELETE', template).then(() => undefined));
    expect(errorOf(await setup.run('run', '--run-key', 'one'), 1)).toMatch(
      /-claims find no place.*index setting .*nowhere/,
    );
    expect((await call(SEARCH_URL, 'GET', `/${setup.alias}-*?expand_wildcards=all`)).body).toEqual({});
    await call(SEARCH_URL, 'DELETE', template);
    resultOf(await setup.run('run', '--run-key', 'one'));
  });

  it('is free again after abandon', async (scope) => {
    const setup = await places(scope);
    resultOf(await setup.run('claim'));
    resultOf(await setup.run('abandon'));
    expect(await claimOn(setup.alias)).toMatchObject({ found: false });
  });

  it('holds up the rollback of another fleet', { tags: 'long' }, async (scope) => {
    const setup = await places(scope);
    resultOf(await setup.run('run', '--run-key', 'one'));
    resultOf(await setup.run('run', '--run-key', 'two'));
    const served = await setup.served();
    const claim = {
      schema: 1,
      fleet: 'another',
      journal: '/elsewhere/another',
      host: 'elsewhere',
      run_key: 'three',
      run: '20260101000000-abcd',
      since: '2026-01-01T00:00:00.000Z',
      serves: served,
    };
    await call(SEARCH_URL, 'PUT', `/${setup.alias}-claims/_doc/claim`, { claim });
    expect(errorOf(await setup.run('rollback'), 3)).toContain('claimed by the run with key three');
    expect(await setup.served()).toEqual(served);
    await call(SEARCH_URL, 'DELETE', `/${setup.alias}-claims/_doc/claim`);
    resultOf(await setup.run('rollback'));
  });
});

describe('a claim that nobody gives back', () => {
  it('is freed by `abandon --alias` with --force when its journal is gone', async (scope) => {
    const setup = await places(scope);
    resultOf(await setup.run('claim', '--run-key', 'lost'));
    await rm(setup.journal, { recursive: true });
    expect(errorOf(await setup.run('run', '--run-key', 'k'), 3)).toContain('the run with key lost');
    expect(errorOf(await setup.run('abandon', '--alias', setup.alias), 3)).toContain('--force');
    expect(resultOf(await setup.run('abandon', '--alias', setup.alias, '--force'))).toMatchObject({
      status: 'freed',
      claim: { run_key: 'lost' },
    });
    resultOf(await setup.run('run', '--run-key', 'k'));
    expect(resultOf(await setup.run('abandon', '--alias', setup.alias))).toMatchObject({
      status: 'nothing to free',
    });
  });

  it('is kept while its run is unfinished in this journal, and --force needs an alias', async (scope) => {
    const setup = await places(scope);
    resultOf(await setup.run('claim', '--run-key', 'k'));
    expect(errorOf(await setup.run('abandon', '--alias', setup.alias, '--force'), 1)).toContain(
      "this fleet's own run k",
    );
    expect(errorOf(await setup.run('abandon', '--force'), 2)).toContain('--alias');
    expect((await claimOn(setup.alias))._source?.claim).toMatchObject({ run_key: 'k' });
  });

  it('keeps its own run from moving the alias when somebody has freed it and another run holds it', {
    tags: 'long',
  }, async (scope) => {
    const setup = await places(scope);
    for (const phase of ['claim', 'create-index', 'reindex', 'finalize', 'validate'])
      resultOf(await setup.run(phase, '--run-key', 'k'));
    await call(SEARCH_URL, 'DELETE', `/${setup.alias}-claims/_doc/claim`);
    const other = await otherOn(setup, { fleet: 'another' });
    resultOf(await other('claim', '--run-key', 'two'));
    expect(errorOf(await setup.run('promote', '--run-key', 'k'), 3)).toContain('the run with key two');
    expect(await setup.served()).toEqual([]);
  });

  it('is taken over by the next run of the same journal when it is that of a run that is over', {
    tags: 'long',
  }, async (scope) => {
    const setup = await places(scope);
    resultOf(await setup.run('claim', '--run-key', 'one'));
    const left = await claimOn(setup.alias);
    resultOf(await setup.run('abandon'));
    // As after a rollback that was killed: the claim names a run that the journal knows to be over.
    await call(SEARCH_URL, 'PUT', `/${setup.alias}-claims/_doc/claim`, left._source);
    resultOf(await setup.run('run', '--run-key', 'two'));
    expect(await claimOn(setup.alias)).toMatchObject({ found: false });
  });
});

it('an index of the name of the index of claims that holds something else is left as it is, and named', async (scope) => {
  const setup = await places(scope);
  const claims = `${setup.alias}-claims`;
  const mappings = { properties: { amount: { type: 'long' } } };
  await call(SEARCH_URL, 'PUT', `/${claims}`, { mappings, settings: { number_of_replicas: 0 } });
  await call(SEARCH_URL, 'PUT', `/${claims}/_doc/7`, { amount: 3 });
  expect(errorOf(await setup.run('run', '--run-key', 'k'), 1)).toContain('it is not an index of claims');
  await call(SEARCH_URL, 'POST', `/${claims}/_refresh`);
  expect(await count(SEARCH_URL, claims)).toBe(1);
  expect(await setup.served()).toEqual([]);
});

it('the index of claims that a template puts under an alias is refused, and the fleet is free', async (scope) => {
  const setup = await places(scope);
  const template = `${setup.alias}-template`;
  scope.onTestFinished(async () => void (await call(SEARCH_URL, 'DELETE', `/_index_template/${template}`)));
  const made = await call(SEARCH_URL, 'PUT', `/_index_template/${template}`, {
    index_patterns: [`${setup.alias}-claims`],
    priority: 900,
    template: { aliases: { [setup.alias]: {} } },
  });
  if (made.status !== 200) return; // The development node has no templates.
  expect(errorOf(await setup.run('run'), 1)).toContain(`it has the alias "${setup.alias}"`);
  expect(await setup.served()).toEqual([]);
  expect(resultOf(await setup.run('status'))).toMatchObject({ held_by: null });
});
