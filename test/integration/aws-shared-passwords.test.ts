import { describe, expect, inject, it } from 'vitest';
import { type ApiProxy, startApiProxy } from '../aws/api-proxy.ts';
import { awsEnvironment } from '../aws/aws-clients.ts';
import { makeWorld } from '../aws/world.ts';
import { type EndedCommand, errorOf, resultOf } from '../support/run-command.ts';
import { startProxy } from '../support/run-proxy.ts';
import { setUpRun, type TestScope } from '../support/run-setup.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';

/** Commands that have no password but the one in the workers' parameters. */

const database = placesDatabase();
const searchUrl = inject('developmentUrl');
const USERNAME = 'indexer';
const PASSWORD = 'hush-of-the-cluster';
const BASIC = `Basic ${Buffer.from(`${USERNAME}:${PASSWORD}`).toString('base64')}`;

interface Commands {
  readonly proxy: ApiProxy;
  /** The path of the workers' parameters. */
  readonly path: string;
  readonly run: (
    args: readonly [string, ...string[]],
    environment?: Readonly<Record<string, string>>,
  ) => Promise<EndedCommand>;
  /** The last names of the workers' parameters that were asked for, without the token's. */
  readonly asked: () => string[];
}

/** PostgreSQL wants a password by itself (scram-sha-256); the search node gets a doorkeeper. */
async function setUp(
  scope: TestScope,
  { parameters }: { parameters?: Record<string, string> } = {},
): Promise<Commands> {
  const cluster = await startProxy(scope, searchUrl);
  cluster.intercept = (_, __, authorization) =>
    authorization === BASIC ? null : { status: 401, type: 'security_exception', reason: 'who are you' };
  const workerSettings = {
    database_url: database.url(),
    search_url: cluster.url,
    search_username: USERNAME,
    search_password: PASSWORD,
    ...parameters,
  };
  const world = await makeWorld(scope, { maximum: 2, workerSettings });
  const proxy = await startApiProxy(scope, world.awsUrl);
  const setup = await setUpRun(scope, {
    databaseUrl: withoutPassword(),
    searchUrl,
    definition: PLACES,
    settings: {
      target: { url: cluster.url, username: USERNAME },
      aws: { region: world.region, worker_parameters: world.workerParameters },
      auto_scaling: {
        group: world.group,
        image_parameter: world.imageParameter,
        token_parameter: world.tokenParameter,
      },
    },
  });
  const path = world.workerParameters;
  return {
    proxy,
    path,
    run: ([name, ...args], environment = {}) =>
      setup.startWith({ environment: { ...awsEnvironment(proxy.url), ...environment } }, name, ...args).ended,
    asked: () =>
      proxy
        .callsOf('GetParameter')
        .map(({ parameters: { Name = '' } }) => Name)
        .flatMap((name) => (name.startsWith(`${path}/`) ? [name.slice(path.length + 1)] : []))
        .filter((name) => name !== 'token')
        .sort(),
  };
}

function withoutPassword(): string {
  const url = new URL(database.url());
  url.password = '';
  return url.href;
}

function expectNoSecret({ stderr, stdout }: EndedCommand): void {
  for (const text of [stderr, ...stdout]) {
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain(new URL(database.url()).password);
  }
}

const ALL = ['database_url', 'search_api_key', 'search_password', 'search_url', 'search_username'];

describe.skipIf(inject('awsUrl') === null)(
  'the passwords in the workers’ AWS parameters',
  { timeout: 120_000 },
  () => {
    it('are used for database and cluster, and shown nowhere', async (scope) => {
      const { run, asked } = await setUp(scope);
      const ended = await run(['plan', '--exact']);
      expect(resultOf(ended)).toMatchObject({ status: 'planned', rows: ROWS });
      expect(asked()).toEqual(ALL);
      expectNoSecret(ended);
    });

    it('are read only by commands that connect, and only for what these connect to', {
      tags: 'long',
    }, async (scope) => {
      const { run, asked } = await setUp(scope);
      expect((await run(['status'])).code).toBe(0);
      expect((await run(['sweep'])).code).toBe(0);
      expect(asked()).toEqual([]);
      resultOf(await run(['claim', '--run-key', 'k']));
      expect(asked()).toEqual(ALL);
      expect(resultOf(await run(['abandon']))).toMatchObject({ status: 'abandoned' });
      expect(asked()).toEqual([...ALL, ...ALL.filter((name) => name !== 'database_url')].sort());
    });

    it('are overridden by the environment and by the URL', { tags: 'long' }, async (scope) => {
      const { run, asked } = await setUp(scope);
      const environment = { REINDEX_TARGET_PASSWORD: PASSWORD };
      expect(resultOf(await run(['plan', '--source', database.url()], environment))).toMatchObject({
        rows: ROWS,
      });
      expect(asked()).toEqual([]);
      const wrong = await run(['plan'], { ...environment, REINDEX_SOURCE_PASSWORD: 'wrong' });
      expect(errorOf(wrong, 1)).toContain('the password is wrong: set REINDEX_SOURCE_PASSWORD');
      expect(asked()).toEqual([]);
    });

    it('are named by their parameter when they are wrong', { tags: 'long' }, async (scope) => {
      const wrong = new URL(database.url());
      wrong.password = 'wrong-secret';
      const { run, path } = await setUp(scope, { parameters: { database_url: wrong.href } });
      const ended = await run(['plan']);
      expect(errorOf(ended, 1)).toContain(
        `(the password in the parameter ${path}/database_url is wrong: correct it, or set REINDEX_SOURCE_PASSWORD)`,
      );
      expect(ended.stderr).not.toContain('wrong-secret');
    });

    it('are given to no other server: both servers are named, and none is called', async (scope) => {
      const { run, path } = await setUp(scope);
      const elsewhere = ['--source', 'postgres://reader@127.0.0.1:1/shop', '--target', 'http://127.0.0.1:1'];
      const said = errorOf(await run(['plan', ...elsewhere]), 1);
      expect(said).toMatch(
        new RegExp(
          `^the parameter ${path}/database_url is for .*, but source\\.url names reader@127\\.0\\.0\\.1:1\\. `,
          'm',
        ),
      );
      expect(said).toMatch(
        new RegExp(
          `^the parameter ${path}/search_url is .*, but target\\.url names http://127\\.0\\.0\\.1:1\\. `,
          'm',
        ),
      );
      expect(said).not.toContain('nothing listens there');
    });

    it('are reported before a run begins when they may not be read or do not exist', async (scope) => {
      const { run, path, proxy } = await setUp(scope);
      const denied = `${path}/database_url`;
      const message = `User: arn:aws:sts::123456789012:assumed-role/runner/session is not authorized to perform: ssm:GetParameter on resource: ${denied}`;
      proxy.fail({
        action: 'GetParameter',
        matching: ({ parameters }) => parameters['Name'] === denied,
        with: { status: 400, code: 'AccessDeniedException', message },
      });
      proxy.fail({
        action: 'GetParameter',
        matching: ({ parameters }) => parameters['Name'] === `${path}/search_password`,
        with: { status: 400, code: 'ParameterNotFound', message: '' },
      });
      const said = errorOf(await run(['run']), 1);
      expect(said).toContain(
        `(the permission ssm:GetParameter is missing: allow it for the parameter ${denied})`,
      );
      expect(said).toContain(`the parameter ${path}/search_password does not exist in this region`);
      expect(proxy.callsOf('SetDesiredCapacity')).toEqual([]);
    });
  },
);
