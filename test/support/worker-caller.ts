import { expect } from 'vitest';
import { type TaskRequest, type TaskStatus, taskStatusSchema } from '../../worker/contract.ts';

const HEADERS = { 'Reindex-Run': 'run-1', 'Reindex-Epoch': '1', 'content-type': 'application/json' };

/** The calls of an orchestrator to a worker. */
export interface WorkerCaller {
  post(request: TaskRequest): Promise<void>;
  ask(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }>;
  status(taskId: string): Promise<TaskStatus>;
  finished(taskId: string): Promise<TaskStatus>;
}

export function callerOf(url: string): WorkerCaller {
  const ask: WorkerCaller['ask'] = async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: HEADERS,
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const status = async (taskId: string): Promise<TaskStatus> =>
    taskStatusSchema.parse((await ask('GET', `/task/${taskId}`)).body);
  return {
    ask,
    status,
    post: async (request) =>
      expect(await ask('POST', '/reindexing_task', request)).toMatchObject({ status: 202 }),
    finished: async (taskId) => {
      let last = await status(taskId);
      // A worker that drains is gone once it has told how its last task ended.
      if (last.active)
        await expect.poll(async () => (last = await status(taskId)).active, { timeout: 50_000 }).toBe(false);
      return last;
    },
  };
}
