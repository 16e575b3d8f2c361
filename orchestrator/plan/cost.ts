import { type InstanceUse, leastUse } from '../reconcile/account-instances.ts';
import type { Billing } from '../reconcile/billing.ts';
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

/** Null: nobody has said what an instance costs. */
export function priceOf({ price }: Pick<Settings, 'price'>): Price | null {
  return price === null ? null : { perHour: price.per_hour, currency: price.currency };
}

/** How a run's instances are accounted for. */
export interface Accounting {
  readonly billing: Billing;
  /** Null: what they have used is told, and not what it costs. */
  readonly price: Price | null;
}

/** Null: nobody pays for the instances, and nobody has said what one costs. */
export function accountingOf(settings: Pick<Settings, 'price' | 'backend'>): Accounting | null {
  const { billing, isPaidFor } = settings.backend.traits;
  const price = priceOf(settings);
  return price === null && !isPaidFor ? null : { billing, price };
}

export function costOf({ seconds, exact }: InstanceUse, { perHour, currency }: Price): Cost {
  return { amount: round((seconds / SECONDS_PER_HOUR) * perHour), currency, exact };
}

/** Of all workers for as long as a run is expected to need them; null: time or price is not known. */
export function expectedCost(
  accounting: Accounting | null,
  workers: number,
  seconds: number | null,
): Money | null {
  const price = accounting?.price ?? null;
  if (accounting === null || price === null || seconds === null) return null;
  const { amount, currency } = costOf(leastUse(workers, seconds, accounting.billing), price);
  return { amount, currency };
}

/** Seconds of all instances together that an amount pays for. */
export function secondsFor(amount: number, { perHour }: Price): number {
  return (amount / perHour) * SECONDS_PER_HOUR;
}

function round(amount: number): number {
  return Number(amount.toFixed(DIGITS));
}
