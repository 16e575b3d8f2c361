import type { Billing } from '../../reconcile/billing.ts';

/** EC2 bills a Linux instance by the second, a minute at least: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/concepts.html */
export const GROUP_BILLING: Billing = { leastSeconds: 60 };
