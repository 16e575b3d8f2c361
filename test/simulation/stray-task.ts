import type { DescribedDefinition } from '../../definition/definition.ts';
import { describedDigest } from '../../definition/digest.ts';
import { passAliases, targetNames } from '../../orchestrator/index/names.ts';
import type { TaskRequest } from '../../worker/contract.ts';

/** A task over the whole table that stands in no journal. Its rows are those of the run's first pass. */
export function strayTask(worker: string, run: string, described: DescribedDefinition): TaskRequest {
  const { name, alias } = described.definition;
  const names = targetNames(alias, run);
  const { writeAlias, deadLetterAlias } = passAliases(names, 1);
  const definition_digest = describedDigest(described);
  return {
    task_id: `${STRAY}${worker}`,
    run,
    range_id: 'stray',
    attempt: 1,
    worker_id: worker,
    definition: name,
    definition_digest,
    targets: [
      {
        kind: 'bulk',
        definition: name,
        definition_digest,
        index: names.index,
        write_alias: writeAlias,
        dead_letter_alias: deadLetterAlias,
      },
    ],
    start_index: null,
    end_index: null,
    max_bytes_in_flight: 1_048_576,
  };
}

const STRAY = 'stray.';

export function isStray(task: string): boolean {
  return task.startsWith(STRAY);
}
