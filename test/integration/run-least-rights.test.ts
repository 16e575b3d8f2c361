import { describe, expect, inject, it } from 'vitest';
import { startAnsweringProxy } from '../cases/answering-proxy.ts';
import { resultOf } from '../support/run-command.ts';
import { setUpRun } from '../support/run-setup.ts';
import { PLACES, placesDatabase, ROWS } from '../support/run-table.ts';
import { call, uniqueName } from '../support/search-calls.ts';

const SEARCH = inject('searchUrl');
const database = placesDatabase();

/** Every call that looks at something beside the indexes of the alias. */
const LOOKS =
  /^\/(\?|$|_cluster\/(settings|health|allocation)|_nodes|_template|_index_template|_ingest|_cat\/|_tasks|_plugins)|^\/[^/]+\/_segments/;

/** Words of the warnings, each for one thing that nobody may look at. */
const WARNED = [
  'cluster:monitor/main',
  'cluster:monitor/settings',
  'cluster:monitor/health',
  'cluster:monitor/nodes/info',
  'cluster:monitor/nodes/stats',
  'indices:admin/index_template/simulate_index',
  'cluster:admin/ingest/pipeline/get',
  'cluster:admin/opendistro/ism/managedindex/explain',
  'indices:monitor/segments',
];

describe.skipIf(SEARCH === null)(
  'a user (a proxy stands in for the rights) who may do nothing but work on the alias',
  () => {
    it('has a whole run end well, with a warning for each look that is forbidden', {
      tags: 'long',
      timeout: 120_000,
    }, async (scope) => {
      const searchUrl = SEARCH ?? '';
      const pipeline = uniqueName('pipeline');
      await call(searchUrl, 'PUT', `/_ingest/pipeline/${pipeline}`, { processors: [] });
      scope.onTestFinished(() =>
        call(searchUrl, 'DELETE', `/_ingest/pipeline/${pipeline}`).then(() => undefined),
      );
      const forbidden: string[] = [];
      const proxy = await startAnsweringProxy(searchUrl, ({ method, path }) => {
        if (!LOOKS.test(path)) return null;
        forbidden.push(`${method} ${path.split('?')[0]}`);
        const error = { type: 'security_exception', reason: 'no permissions for this action' };
        return {
          status: 403,
          body: JSON.stringify({ error: { ...error, root_cause: [error] }, status: 403 }),
        };
      });
      scope.onTestFinished(() => proxy.stop());
      const setup = await setUpRun(scope, {
        databaseUrl: database.url(),
        definition: {
          ...PLACES,
          pipeline,
          index: {
            number_of_replicas: 0,
            forcemerge_segments: 1,
            settings: { 'replication.type': 'SEGMENT' },
          },
        },
        settings: { target: { url: proxy.url } },
      });
      const ended = await setup.run('run');
      expect(resultOf(ended)).toMatchObject({ status: 'done', rows: ROWS });
      expect(WARNED.filter((words) => !ended.stderr.includes(words))).toEqual([]);
      expect(ended.stderr).not.toContain('manage and write the indexes of the alias');
      const kinds = forbidden.map((one) =>
        one.replace(pipeline, 'PIPELINE').replaceAll(new RegExp(`${setup.alias}[\\w-]*`, 'g'), 'INDEX'),
      );
      expect([...new Set(kinds)].sort()).toEqual([
        'GET /',
        'GET /INDEX/_segments',
        'GET /_cat/allocation',
        'GET /_cluster/health',
        'GET /_cluster/health/INDEX,INDEX',
        'GET /_cluster/settings',
        'GET /_ingest/pipeline/PIPELINE',
        'GET /_nodes/data:true/process',
        'GET /_plugins/_ism/explain/INDEX',
        'GET /_tasks',
        'GET /_template',
        'POST /_index_template/_simulate_index/INDEX',
      ]);
      expect((await setup.served()).length).toBe(1);
      resultOf(await setup.run('status'));
      // A second run has an index to promote over, and then something to go back to.
      resultOf(await setup.run('run'));
      resultOf(await setup.run('rollback'));
    });
  },
);
