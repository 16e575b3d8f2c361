import { startBulkServer } from './bulk-server.ts';

/**
 * Stands in for the search cluster and throws everything away, as a process of its own. It prints its address on the
 * first line and says at any other path than `_bulk` how many documents it got.
 */
let documents = 0;
const { url } = await startBulkServer(
  () => {
    documents += 1;
  },
  () => ({ documents }),
);
console.log(url);
process.stdin.on('close', () => process.exit(0)).resume();
