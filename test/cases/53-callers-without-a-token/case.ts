import { connect, type Socket } from 'node:net';
import type { Case } from '../case.ts';
import { workerPorts } from './worker-ports.ts';

const CONNECTIONS = 300;

export const theCase: Case = {
  title: '300 callers without the token keep connections to every worker, each after one refused call',
  right: 'workers answer their orchestrator throughout: the run ends with 0, and no worker is lost',
  async play({ alias, command, definition, folder, sql }) {
    await sql(
      `CREATE TABLE things (id int PRIMARY KEY, a text);
       INSERT INTO things SELECT n, 'thing ' || n FROM generate_series(1, 4000) n; ANALYZE things`,
    );
    await definition(
      `alias: ${alias}\nsource: { table: things, key: id }\nindex: { number_of_replicas: 0 }\ndocument: { a: "things.a || coalesce(pg_sleep(0.002)::text, '')" }\n`,
    );
    const strangers: Socket[] = [];
    const crowded = new Set<number>();
    const crowdIn = async (): Promise<void> => {
      for (const port of await workerPorts(folder)) {
        if (crowded.has(port)) continue;
        crowded.add(port);
        for (let i = 0; i < CONNECTIONS; i++) strangers.push(strangerOf(port));
      }
    };
    const crowd = setInterval(() => void crowdIn(), 200);
    const { code, result } = await command('run');
    clearInterval(crowd);
    for (const socket of strangers) socket.destroy();
    return {
      got: `exit ${code} with ${strangers.length} strangers at ${crowded.size} workers; ${String(result['error'] ?? result['status'])}`,
      ok: code === 0 && crowded.size > 0,
    };
  },
};

function strangerOf(port: number): Socket {
  const socket = connect(port, '127.0.0.1', () => socket.write('GET /task HTTP/1.1\r\nHost: x\r\n\r\n'));
  return socket.on('error', () => undefined).resume();
}
