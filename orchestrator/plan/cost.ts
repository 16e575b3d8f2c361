import { GROUP_BILLING } from '../fleet/auto-scaling/billing.ts';
import { type InstanceUse, leastUse } from '../reconcile/account-instances.ts';
import type { Settings } from '../settings.ts';

/** What instances cost, as the settings say. */
export interface Price {
  /** Of one instance for an hour. */
  readonly perHour: number;
  /** ISO 4217, e.g. `USD`. */
  readonly currency: string;
}

export interface Money {
  readonly amount: number;
  readonly currency: string;
}

export interface Cost extends Money {
  /** False: it is the most that it can have been, see `InstanceUse`. */
  readonly exact: boolean;
}

const SECONDS_PER_HOUR = 3_600;
/** Below what a minute of the smallest instance costs. */
const DIGITS = 5;

/** Null: workers are processes of this machine, or nobody has said what an instance costs. */
export function priceOf({ aws }: Pick<Settings, 'aws'>): Price | null {
  if (aws === null || aws.price_per_hour === null) return null;
  return { perHour: aws.price_per_hour, currency: aws.currency };
}

export function costOf({ seconds, exact }: InstanceUse, { perHour, currency }: Price): Cost {
  return { amount: round((seconds / SECONDS_PER_HOUR) * perHour), currency, exact };
}

/** Of all workers for as long as a run is expected to need them; null: time or price is not known. */
export function expectedCost(price: Price | null, workers: number, seconds: number | null): Money | null {
  if (price === null || seconds === null) return null;
  const { amount, currency } = costOf(leastUse(workers, seconds, GROUP_BILLING), price);
  return { amount, currency };
}

/** Seconds of all instances together that an amount pays for. */
export function secondsFor(amount: number, { perHour }: Price): number {
  return (amount / perHour) * SECONDS_PER_HOUR;
}

function round(amount: number): number {
  return Number(amount.toFixed(DIGITS));
}
