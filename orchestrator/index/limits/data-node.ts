import { z } from 'zod';
import { read } from '../cluster-error.ts';

/** A node that may hold shards, with what rules of allocation ask for. */
export interface DataNode {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly ip: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The call that shows the data nodes. */
export const DATA_NODES_PATH =
  '/_nodes/data:true/process?filter_path=nodes.*.name,nodes.*.host,nodes.*.ip,nodes.*.attributes';

const nodesSchema = z.record(
  z.string(),
  z.object({
    name: z.string(),
    host: z.string().default(''),
    ip: z.string().default(''),
    attributes: z.record(z.string(), z.string()).default({}),
  }),
);

/** The nodes of an answer. Null when it does not say them. */
export function dataNodesIn(answer: unknown): DataNode[] | null {
  const found = nodesSchema.safeParse(read(answer, 'nodes')).data;
  return found === undefined ? null : Object.entries(found).map(([id, node]) => ({ id, ...node }));
}
