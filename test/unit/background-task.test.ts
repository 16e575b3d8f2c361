import { describe, expect, it } from 'vitest';
import { type BackgroundTask, runInBackground } from '../../orchestrator/index/background-task.ts';
import { ClusterError } from '../../orchestrator/index/cluster-error.ts';
import type { CallOptions, HttpMethod, SearchCalls } from '../../orchestrator/index/search-calls.ts';

/**
 * A scripted cluster with one task at most, for what a real cluster does only now and then: an answer that a gateway
 * gives up on, a node that is lost, a right that is missing, an engine that is too old.
 */
class TaskCluster implements SearchCalls {
  readonly where = 'scripted';
  /** Every call, without its query. */
  readonly calls: string[] = [];
  /** How many looks show the task that runs now. */
  runsFor = 0;
  mark = 'reindex-fleet/books-1';
  start: (options: CallOptions, path: string) => unknown = () => ({ task: 'n:1' });
  state: () => unknown = () => ({ completed: true, response: { deleted: 3 } });
  mayLook = true;

  async call(method: HttpMethod, path: string, _body?: unknown, options: CallOptions = {}): Promise<unknown> {
    this.calls.push(`${method} ${path.split('?')[0]}`);
    if (method === 'POST') return this.start(options, path);
    if (!path.startsWith('/_tasks?')) return this.state();
    if (!this.mayLook) throw new ClusterError(403, 'security_exception', 'no permissions');
    this.runsFor -= 1;
    const other = { headers: { 'X-Opaque-Id': 'somebody' } };
    return { tasks: this.runsFor < 0 ? [other] : [other, { headers: { 'X-Opaque-Id': this.mark } }] };
  }

  callOrNull(...args: Parameters<SearchCalls['call']>): Promise<unknown> {
    return this.call(...args);
  }

  callText(): Promise<string> {
    return Promise.reject(new Error('nobody asks for text'));
  }

  search(): Promise<never> {
    return Promise.reject(new Error('nobody searches'));
  }

  get starts(): number {
    return this.calls.filter((call) => call.startsWith('POST')).length;
  }
}

const TASK: BackgroundTask = {
  path: '/books-1/_delete_by_query?refresh=true',
  body: {},
  index: 'books-1',
  action: 'indices:data/write/delete/byquery',
  words: 'clearing of books-1',
};

function clockOf() {
  let nowMs = 0;
  const clock = {
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs,
    sleep: async (ms: number, signal: AbortSignal) => {
      signal.throwIfAborted();
      nowMs += ms;
    },
  };
  return clock;
}

const run = (cluster: SearchCalls, signal = new AbortController().signal, onWait?: (words: string) => void) =>
  runInBackground(cluster, TASK, { clock: clockOf(), signal, onWait });

const gaveUp = (): never => {
  throw new ClusterError(504, 'status_504', 'the gateway gave up');
};

describe('long work of a cluster', () => {
  it('is begun once in the background, with the run’s mark, and asked for until it has ended', async () => {
    const cluster = new TaskCluster();
    const seen: [CallOptions, string][] = [];
    let looks = 0;
    cluster.start = (options, path) => {
      seen.push([options, path]);
      return { task: 'n:1' };
    };
    cluster.state = () => ({ completed: (looks += 1) > 3, response: { deleted: 3 } });
    expect(await run(cluster)).toEqual({ deleted: 3 });
    expect(seen).toMatchObject([
      [
        { repeatable: false, mark: 'reindex-fleet/books-1' },
        expect.stringContaining('&wait_for_completion=false'),
      ],
    ]);
    expect(looks).toBe(4);
  });

  it('that an earlier process of the run began is waited for before it is begun again', async () => {
    const cluster = new TaskCluster();
    cluster.runsFor = 3;
    await run(cluster);
    expect(cluster.calls).toEqual([
      ...Array.from({ length: 4 }, () => 'GET /_tasks'),
      'POST /books-1/_delete_by_query',
      'GET /_tasks/n%3A1',
    ]);
  });

  it('whose answer a gateway gave up on is waited for, and not begun a second time beside the first', async () => {
    const cluster = new TaskCluster();
    cluster.start = () => {
      cluster.runsFor = 5;
      return gaveUp();
    };
    expect(await run(cluster)).toBeNull();
    expect(cluster.starts).toBe(1);
    expect(cluster.calls.filter((call) => call === 'GET /_tasks')).toHaveLength(7);
  });

  it('that is gone with its node has ended, and nobody knows how', async () => {
    const cluster = new TaskCluster();
    cluster.state = () => null;
    expect(await run(cluster)).toBeNull();
  });

  it('that failed as a whole says the cluster’s words', async () => {
    const cluster = new TaskCluster();
    const error = { type: 'search_phase_execution_exception', reason: 'all shards failed' };
    cluster.state = () => ({ completed: true, error });
    await expect(run(cluster)).rejects.toThrow(/clearing of books-1 failed: search_phase.*all shards failed/);
  });

  it('is held on its connection by an engine that knows no background, and still sent once', async () => {
    const cluster = new TaskCluster();
    const paths: string[] = [];
    cluster.start = (_options, path) => {
      paths.push(path);
      if (path.includes('wait_for_completion'))
        throw new ClusterError(
          400,
          'illegal_argument_exception',
          'unrecognized parameter: [wait_for_completion]',
        );
      cluster.runsFor = 2;
      return gaveUp();
    };
    expect(await run(cluster)).toBeNull();
    expect(paths).toEqual([`${TASK.path}&wait_for_completion=false`, TASK.path]);
  });

  it('is held on its connection for a user who may not see tasks, who is told what to allow if the answer is lost', async () => {
    const cluster = new TaskCluster();
    cluster.mayLook = false;
    cluster.start = () => ({ deleted: 2 });
    expect(await run(cluster)).toEqual({ deleted: 2 });
    cluster.start = gaveUp;
    await expect(run(cluster)).rejects.toThrow(/clearing of books-1.*Allow cluster:monitor\/tasks\/lists/);
    expect(cluster.starts).toBe(2);
  });

  it.each([401, 404, 405, 410])(
    'is held on its connection where a product answers the look at tasks with %i',
    async (status) => {
      const cluster = new TaskCluster();
      const ask = cluster.call.bind(cluster);
      cluster.call = async (method, path, ...rest) => {
        if (path.startsWith('/_tasks')) throw new ClusterError(status, `status_${status}`, 'not here');
        return ask(method, path, ...rest);
      };
      cluster.start = (_options, path) => {
        expect(path).not.toContain('wait_for_completion');
        return { deleted: 2 };
      };
      expect(await run(cluster)).toEqual({ deleted: 2 });
    },
  );

  it('is waited for by a user who may list tasks and not look at one', async () => {
    const cluster = new TaskCluster();
    cluster.start = () => {
      cluster.runsFor = 3;
      return { task: 'n:1' };
    };
    cluster.state = () => {
      throw new ClusterError(403, 'security_exception', 'no permissions for cluster:monitor/task/get');
    };
    expect(await run(cluster)).toBeNull();
    expect(cluster.calls.filter((call) => call === 'GET /_tasks')).toHaveLength(5);
    expect(cluster.starts).toBe(1);
  });

  it('is told now and then, and left at once at a signal', async () => {
    const cluster = new TaskCluster();
    const told: string[] = [];
    const controller = new AbortController();
    cluster.state = () => {
      if (told.length === 2) controller.abort(new Error('interrupted'));
      return { completed: false };
    };
    await expect(run(cluster, controller.signal, (words) => void told.push(words))).rejects.toThrow(
      'interrupted',
    );
    expect(told).toMatchObject(
      [/clearing of books-1, which has run for \d+ s/, /has run for/].map((words) =>
        expect.stringMatching(words),
      ),
    );
  });

  it('that does not end within six hours fails, and the failure says where to look', async () => {
    const cluster = new TaskCluster();
    cluster.state = () => ({ completed: false });
    await expect(run(cluster)).rejects.toThrow(/has not ended after 2160\d s: look at GET \/_tasks/);
  });
});
