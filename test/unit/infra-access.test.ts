import { describe, expect, it } from 'vitest';
import { trust } from '../../infra/access/policy-document.ts';
import { schedulerTrust } from '../../infra/access/sweeper-policy.ts';
import { namesOf } from '../../infra/names.ts';
import { ACCOUNT_ID, REGION } from '../aws/aws-clients.ts';
import { fleetAccess } from '../infra/fleet-access.ts';
import { parsePolicy } from '../infra/policy-document.ts';
import { type ProgramRun, runProgram } from '../infra/program-run.ts';
import { ofType } from '../infra/resources.ts';
import { stackAccess } from '../infra/stack-access.ts';
import { LEAST } from '../infra/stack-configurations.ts';

/** Who may do what for a stack's fleet. What that is not: infra-forbidden-calls.test.ts. */

const PLACE = { account: ACCOUNT_ID, region: REGION, partition: 'aws' };

function run(access: object = {}): Promise<ProgramRun> {
  return runProgram({ ...LEAST, fleet: 'books', access });
}

const typesIn = ({ registrations }: ProgramRun): string[] =>
  registrations.map(({ type }) => type).filter((type) => type.startsWith('aws:iam/'));

describe('the access that a stack grants', () => {
  it('consists of exactly the expected IAM policies', async () => {
    const made = await run();
    const names = namesOf(
      { fleet: 'books', bucket: null, journalPrefix: 'reindex-fleet', imageParameter: null },
      PLACE,
    );
    expect(stackAccess(made)).toEqual({
      ...fleetAccess(names),
      trusts: {
        workers: parsePolicy(trust('ec2'), 'trust'),
        sweeper: parsePolicy(trust('lambda'), 'trust'),
        scheduler: parsePolicy(schedulerTrust(names), 'trust'),
      },
    });
    expect(typesIn(made).sort()).toEqual([
      'aws:iam/instanceProfile:InstanceProfile',
      'aws:iam/policy:Policy',
      ...Array.from({ length: 3 }, () => 'aws:iam/role:Role'),
      ...Array.from({ length: 3 }, () => 'aws:iam/rolePolicy:RolePolicy'),
    ]);
  });

  it('attaches the orchestrator’s policy to the named roles, and sets a permissions boundary on its own roles', async () => {
    const boundary = `arn:aws:iam::${ACCOUNT_ID}:policy/boundary`;
    const made = await run({ orchestrator_roles: ['airflow'], permissions_boundary: boundary });
    const inputsOf = (type: string) => ofType(made, type).map(({ inputs }) => inputs);
    const attached = inputsOf('aws:iam/rolePolicyAttachment:RolePolicyAttachment');
    expect(attached).toMatchObject([{ role: 'airflow', policyArn: expect.stringContaining('arn:') }]);
    const boundaries = inputsOf('aws:iam/role:Role').map(({ permissionsBoundary }) => permissionsBoundary);
    expect(boundaries).toEqual([boundary, boundary, boundary]);
  });
});
