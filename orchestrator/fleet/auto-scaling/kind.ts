import { fleetKind } from '../fleet-kind.ts';
import { GROUP_BILLING } from './billing.ts';
import { AUTO_SCALING } from './group-pin.ts';
import { autoScalingSection } from './settings.ts';

/**
 * Instances of an Auto Scaling group. They go on without the orchestrator and wait for it until their lease runs out.
 */
export const autoScaling = fleetKind({
  kind: AUTO_SCALING,
  section: 'auto_scaling',
  workersWords: 'Workers on AWS',
  reachesThisMachine: false,
  outlivesProcess: true,
  isPaidFor: true,
  billing: GROUP_BILLING,
  formerNames: {
    aws: [
      'group',
      'image_parameter',
      'token_parameter',
      'worker_port',
      'poll_interval_ms',
      'ready_timeout_ms',
      'capacity_timeout_ms',
      'zero_quiet_ms',
      'sweep_grace_ms',
    ],
  },
  schema: autoScalingSection,
  faultsWith: ({ aws }) =>
    aws === null
      ? ['An Auto Scaling group needs a region: write it, e.g. aws: { region: eu-central-1 }.']
      : [],
  sweepGraceMs: ({ sweep_grace_ms }) => sweep_grace_ms,
  connect: async (section, common) => {
    const { groupBackend } = await import('./group-backend.ts');
    return groupBackend(section, common);
  },
});
