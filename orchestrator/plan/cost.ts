import type { InstanceUse } from '../reconcile/account-instances.ts';
import type { Settings } from '../settings.ts';

/** What instances cost, as the settings say. */
export interface Price {
  /** Of one instance for an hour. */
  readonly perHour: number;
  /** ISO 4217, e.g. `USD`. */
  readonly currency: string;
}

export interface Cost {
  readonly amount: number;
  readonly currency: string;
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

/** Seconds of all instances together that an amount pays for. */
export function secondsFor(amount: number, { perHour }: Price): number {
  return (amount / perHour) * SECONDS_PER_HOUR;
}

function round(amount: number): number {
  return Number(amount.toFixed(DIGITS));
}
