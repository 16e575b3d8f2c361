import { bucketPolicy } from '../../infra/access/bucket-policy.ts';
import { orchestratorPolicy } from '../../infra/access/orchestrator-policy.ts';
import { schedulerPolicy, sweeperPolicy } from '../../infra/access/sweeper-policy.ts';
import { workersPolicy } from '../../infra/access/workers-policy.ts';
import type { Names } from '../../infra/names.ts';
import { type ParsedPolicy, parsePolicy } from './policy-document.ts';

/** Who acts for a fleet. */
export type FleetRole = 'orchestrator' | 'workers' | 'sweeper' | 'scheduler';

/** The policies of one fleet. */
export interface FleetAccess {
  readonly identities: Readonly<Record<FleetRole, ParsedPolicy>>;
  readonly bucket: ParsedPolicy;
}

/** As the builders of `infra/access` make them. */
export function fleetAccess(names: Names): FleetAccess {
  return {
    identities: {
      orchestrator: parsePolicy(orchestratorPolicy(names), 'identity'),
      workers: parsePolicy(workersPolicy(names), 'identity'),
      sweeper: parsePolicy(sweeperPolicy(names), 'identity'),
      scheduler: parsePolicy(schedulerPolicy(names), 'identity'),
    },
    bucket: parsePolicy(bucketPolicy(names), 'resource'),
  };
}
