import { expect } from 'vitest';
import { awsEnvironment } from '../aws/aws-clients.ts';
import { NOBODY } from '../aws/fleet-rules.ts';
import { type GatedGroupRun, setUpGatedRun } from '../aws/gated-group-run.ts';
import type { GroupRunOptions } from '../aws/group-run.ts';
import { WORKER_ACCESS_KEY } from '../aws/instance-metadata.ts';
import type { TestScope } from '../support/run-setup.ts';
import { cloudFacts } from './cloud-facts.ts';
import { type AskedPermission, type EnforcedPolicies, enforcePolicies } from './enforced-policies.ts';
import type { FleetAccess, FleetRole } from './fleet-access.ts';
import type { DriverOutcome } from './lambda-driver.ts';
import { one } from './resources.ts';
import { type StackAccess, stackAccess } from './stack-access.ts';
import { setUpStackRun } from './stack-run.ts';
import { invokeSweeper } from './sweeper-function.ts';

const SWEEPER_KEY = 'of-the-sweeper';
const CALLERS: Readonly<Record<string, FleetRole>> = {
  // Of every command, see `awsEnvironment`.
  test: 'orchestrator',
  [WORKER_ACCESS_KEY]: 'workers',
  [SWEEPER_KEY]: 'sweeper',
};

/** A run on a stack's group. The stack's policies decide what each of its processes can do. */
export interface EnforcedRun extends GatedGroupRun {
  /** What holds. */
  readonly access: StackAccess;
  /** From now on others hold. */
  enforce(access: FleetAccess): void;
  /** As the schedule does: the very bundle, with the variables of the stack's function, as its role. */
  sweep(): Promise<NonNullable<DriverOutcome['result']>>;
  /** Fails where something that was wanted was not allowed; returns what was. */
  requireAllowed(): readonly AskedPermission[];
}

export interface EnforcedRunOptions extends Partial<GroupRunOptions> {
  /** Of `bundleSweeper`. */
  readonly sweeperCode: string;
}

export async function setUpEnforcedRun(
  scope: TestScope,
  databaseUrl: string,
  { sweeperCode, ...options }: EnforcedRunOptions,
): Promise<EnforcedRun> {
  const run = await setUpGatedRun(scope, databaseUrl, options, setUpStackRun);
  const { world, proxy } = run;
  const access = stackAccess(world.stack);
  const facts = cloudFacts(world.clients);
  const enforce = (access: FleetAccess): EnforcedPolicies =>
    enforcePolicies({ proxy, access, facts, callers: CALLERS });
  const policies = enforce(access);
  const sweeper = { accessKeyId: SWEEPER_KEY, secretAccessKey: 'test' };
  return {
    ...run,
    access,
    enforce: (others) => void enforce(others),
    async sweep() {
      const { environment: own } = one(world.stack, 'aws:lambda/function:Function').inputs as {
        readonly environment: { readonly variables: Readonly<Record<string, string>> };
      };
      const environment = { ...own.variables, ...awsEnvironment(proxy.url, sweeper) };
      const { invocations, log } = await invokeSweeper(scope, { code: sweeperCode, environment });
      const result = invocations[0]?.result ?? null;
      if (result === null) throw new Error(JSON.stringify({ invocations, log }));
      return result;
    },
    requireAllowed() {
      expect(policies.unknown).toEqual([]);
      expect(policies.asked.filter(({ isAllowed, call }) => !isAllowed && !isOfNobody(call))).toEqual([]);
      return policies.asked;
    },
  };
}

/** The check before a run asks so whether it may terminate; a policy for one group alone may refuse it. */
function isOfNobody({ parameters }: AskedPermission['call']): boolean {
  return parameters['InstanceId'] === NOBODY;
}
