import { randomInt } from 'node:crypto';
import { Client } from 'pg';
import { sql } from './run-documents.ts';

/**
 * A gate in a table. While it is shut, workers wait before the rows with a key above `after`, and nobody else waits. So a test
 * finds the run in a known state. The gate is an advisory lock. Its exclusive holder shuts the gate.
 */
export interface Gate {
  /** A boolean expression for a field of the definition: true, once the row may pass. */
  readonly expression: string;
  shut(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** Once in each database, before its gates. */
export async function createGateFunction(databaseUrl: string): Promise<void> {
  await sql(
    databaseUrl,
    `CREATE FUNCTION passes_gate(key bigint, after bigint, number bigint) RETURNS boolean LANGUAGE plpgsql AS $$
     BEGIN
       IF key > after AND current_setting('application_name') = 'reindex-fleet worker' THEN
         PERFORM pg_advisory_xact_lock_shared(number);
       END IF;
       RETURN true;
     END $$`,
  );
}

export async function createGate(databaseUrl: string, key: string, after: number): Promise<Gate> {
  const number = randomInt(1, 2 ** 31);
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  return {
    expression: `passes_gate(${key}, ${after}, ${number})`,
    shut: async () => void (await client.query(`SELECT pg_advisory_lock(${number})`)),
    open: async () => void (await client.query(`SELECT pg_advisory_unlock(${number})`)),
    close: () => client.end(),
  };
}
