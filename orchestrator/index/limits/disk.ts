import type { IndexDefinition } from '../../../definition/definition.ts';
import { type Judgement, NOTHING_FOUND } from '../judgement.ts';
import type { ClusterFacts, Disk } from './cluster-facts.ts';
import { bytesOf, shareOf } from './units.ts';

const WATERMARK = 'cluster.routing.allocation.disk.watermark';

/**
 * Compares what the new index needs with the free disk of all data nodes. Above the flood stage, the cluster blocks
 * writes, so that is refused. Above the low watermark, replicas find no place. The index's size is not known beforehand:
 * the bytes that are sent stand for it. The index that is served stays meanwhile, and its bytes are not free.
 *
 * @param expectedBytes the bytes that will be sent. Null: not known.
 */
export function judgeDisk(
  { index }: IndexDefinition,
  { settings, disks }: ClusterFacts,
  expectedBytes: number | null,
): Judgement {
  if (disks === null || disks.length === 0) return NOTHING_FOUND;
  const isWatched = settings.get('cluster.routing.allocation.disk.threshold_enabled')?.value !== 'false';
  const roomBelow = (stage: string): number =>
    disks.reduce((sum, disk) => sum + roomOf(disk, isWatched ? reserveOf(settings, stage, disk) : 0), 0);
  const room = { low: roomBelow('low'), high: roomBelow('high'), flood: roomBelow('flood_stage') };
  if (isWatched && room.high === 0)
    return {
      faults: [
        `every data node is above the high watermark of its disk (${WATERMARK}.high: ${settings.get(`${WATERMARK}.high`)?.value}; free: ${freeWords(disks)}), so a new index finds no place. Free disk or add nodes.`,
      ],
      warnings: [],
    };
  const copies = index.numberOfReplicas + 1;
  const needed = (expectedBytes ?? 0) * copies;
  const words = `the new index needs about ${gigabytes(needed)} (${gigabytes(expectedBytes ?? 0)} × ${copies} ${copies === 1 ? 'copy' : 'copies'})`;
  const advice = 'Free disk, add nodes, or lower number_of_replicas.';
  if (needed > room.flood)
    return {
      faults: [
        `${words}, but the data nodes have only ${gigabytes(room.flood)} below the flood stage of their disks (free: ${freeWords(disks)}), above which the cluster blocks writes. ${advice}`,
      ],
      warnings: [],
    };
  const forReplicas = disks.filter(
    (disk) => roomOf(disk, isWatched ? reserveOf(settings, 'low', disk) : 0) > 0,
  );
  if (index.health === 'green' && forReplicas.length < index.numberOfReplicas)
    return {
      faults: [
        `index.health is green and number_of_replicas is ${index.numberOfReplicas}, but only ${forReplicas.length} data nodes are below the low watermark of their disks (${WATERMARK}.low: ${settings.get(`${WATERMARK}.low`)?.value}; free: ${freeWords(disks)}), above which replicas find no place. Free disk, add nodes, or write health: yellow.`,
      ],
      warnings: [],
    };
  if (needed > room.low)
    return {
      faults: [],
      warnings: [
        `${words}, and the data nodes have ${gigabytes(room.low)} below the low watermark of their disks (free: ${freeWords(disks)}), above which replicas find no place. ${advice}`,
      ],
    };
  return NOTHING_FOUND;
}

function roomOf({ available }: Disk, reserve: number): number {
  return Math.max(0, available - reserve);
}

/** The bytes that must stay free below a watermark: a size, or a share of the disk that may be used. */
function reserveOf(settings: ClusterFacts['settings'], stage: string, { total }: Disk): number {
  const watermark = settings.get(`${WATERMARK}.${stage}`)?.value ?? '';
  const bytes = bytesOf(watermark);
  if (bytes !== null) return bytes;
  const share = shareOf(watermark);
  if (share === null) return 0;
  // Elasticsearch keeps no more than this free on a large disk.
  const headroom = bytesOf(settings.get(`${WATERMARK}.${stage}.max_headroom`)?.value ?? '');
  return Math.min(total * (1 - share), headroom ?? Number.POSITIVE_INFINITY);
}

function freeWords(disks: readonly Disk[]): string {
  const shown = disks.slice(0, 3).map(({ node, available }) => `${node} ${gigabytes(available)}`);
  return [...shown, ...(disks.length > 3 ? ['…'] : [])].join(', ');
}

function gigabytes(bytes: number): string {
  const size = bytes / 1024 ** 3;
  return size < 0.1 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${size.toFixed(1)} GiB`;
}
