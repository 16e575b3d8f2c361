import { describe, expect, it, vi } from 'vitest';
import { everyRun } from '../infra/every-run.ts';
import { type ProgramRun, runProgram } from '../infra/program-run.ts';
import type { Registration } from '../infra/registration.ts';
import { byUrn, ofType } from '../infra/resources.ts';
import { LEAST } from '../infra/stack-configurations.ts';

vi.setConfig({ testTimeout: 240_000 });

const INGRESS = 'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule';
const EGRESS = 'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule';
const ATTACHMENT = 'aws:iam/rolePolicyAttachment:RolePolicyAttachment';

const withPeers = (...cidrs: string[]) =>
  runProgram({ ...LEAST, network: { orchestrator: { cidrs }, cluster: { cidrs } } });
const withRoles = (...orchestrator_roles: string[]) =>
  runProgram({ ...LEAST, access: { orchestrator_roles } });

describe('the network rules of a stack', () => {
  it('are unique, because AWS refuses a second rule of the same kind', () =>
    everyRun((run) => {
      const ways = [...ofType(run, INGRESS), ...ofType(run, EGRESS)].map(
        (rule) => `${String(rule.inputs.securityGroupId)}: ${wayOf(rule)}`,
      );
      expect(ways).toEqual([...new Set(ways)]);
    }));

  it('contain port 443 to anywhere once when both cluster and AWS are behind it', async () => {
    const run = await runProgram({
      ...LEAST,
      target: { url: 'https://search.example.com' },
      network: { ...LEAST.network, cluster: { cidrs: ['0.0.0.0/0', '0.0.0.0/0'] } },
    });
    expect(ofType(run, EGRESS).map(wayOf)).toEqual([`${EGRESS} 5432 10.0.0.5/32`, `${EGRESS} 443 0.0.0.0/0`]);
  });

  it('let workers reach database and cluster when the settings ask for it, and belong to the stack', async () => {
    const run = await runProgram({
      ...LEAST,
      network: {
        ...LEAST.network,
        database: { security_groups: ['sg-0000000a'], cidrs: ['10.0.0.5/32'], let_workers_in: true },
        cluster: { security_groups: ['sg-0000000b'] },
      },
    });
    const others = ofType(run, INGRESS).filter(
      ({ inputs }) => inputs.referencedSecurityGroupId !== undefined,
    );
    expect(others.map(({ inputs }) => inputs)).toEqual([
      expect.objectContaining({
        securityGroupId: 'sg-0000000a',
        fromPort: 5_432,
        toPort: 5_432,
        referencedSecurityGroupId: [...run.states.entries()].find(([urn]) =>
          urn.includes('ec2/securityGroup'),
        )?.[1].id,
      }),
    ]);
  });

  it('keep their identity when one of two reasons for a rule goes away', async () => {
    const towards = (cidr: string) =>
      runProgram({
        ...LEAST,
        target: { url: 'https://search.example.com' },
        network: { ...LEAST.network, cluster: { cidrs: [cidr] } },
      });
    const [anywhere, narrow] = [await towards('0.0.0.0/0'), await towards('10.1.0.0/16')];
    const urnOf = (run: ProgramRun) =>
      ofType(run, EGRESS).find((rule) => wayOf(rule) === `${EGRESS} 443 0.0.0.0/0`)?.urn;
    expect(urnOf(anywhere)).toBeDefined();
    expect(urnOf(narrow)).toBe(urnOf(anywhere));
  });

  it('keep their identity when another entry of their list goes away', async () => {
    const [both, second] = [await withPeers('10.1.0.0/16', '10.2.0.0/16'), await withPeers('10.2.0.0/16')];
    expect(changed(both, second)).toEqual([]);
  });
});

describe('the orchestrator roles of a stack', () => {
  it('keep their policy when another role leaves the list or a role is listed twice', async () => {
    const [both, second] = [
      await withRoles('airflow', 'operators'),
      await withRoles('operators', 'operators'),
    ];
    expect(ofType(both, ATTACHMENT).map(({ inputs }) => inputs.role)).toEqual(['airflow', 'operators']);
    expect(changed(both, second)).toEqual([]);
  });
});

function wayOf({ type, inputs }: Registration): string {
  return `${type} ${String(inputs.toPort)} ${String(inputs.cidrIpv4 ?? inputs.referencedSecurityGroupId)}`;
}

/** Of the later run what was not in the earlier one, or was something else there. */
function changed(earlier: ProgramRun, later: ProgramRun): string[] {
  const inputs = ({ inputs }: Registration) => JSON.stringify(inputs);
  const before = byUrn(earlier.registrations, inputs);
  const after = Object.entries(byUrn(later.registrations, inputs));
  return after.filter(([urn, values]) => before[urn] !== values).map(([urn]) => urn);
}
