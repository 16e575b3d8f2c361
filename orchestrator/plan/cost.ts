import { type InstanceUse, leastUse } from '../reconcile/account-instances.ts';
import type { Billing } from '../reconcile/billing.ts';
import type { Settings } from '../settings.ts';

/** What an instance costs, by the settings. */
export interface Price {
  /** The price of one instance for an hour. */
  readonly perHour: number;
  /** ISO 4217, e.g. `USD`. */
  readonly currency: string;
}

export interface Money {
  readonly amount: number;
  readonly currency: string;
}

export interface Cost extends Money {
  /** False when it is the most that it can have been, see `InstanceUse`. */
  readonly exact: boolean;
}

const SECONDS_PER_HOUR = 3_600;
/** Enough digits for less than what a minute of the smallest instance costs. */
const DIGITS = 5;

/** The price in the settings. Null when there is none. */
export function priceOf({ price }: Pick<Settings, 'price'>): Price | null {
  return price === null ? null : { perHour: price.per_hour, currency: price.currency };
}

/** How the use of a run's instances is accounted for. */
export interface Accounting {
  readonly billing: Billing;
  /** Null: the use is reported, but not its cost. */
  readonly price: Price | null;
}

/** How the settings account for instances. Null when nobody pays for them and no price is set. */
export function accountingOf(settings: Pick<Settings, 'price' | 'backend'>): Accounting | null {
  const { billing, isPaidFor } = settings.backend.traits;
  const price = priceOf(settings);
  return price === null && !isPaidFor ? null : { billing, price };
}

export function costOf({ seconds, exact }: InstanceUse, { perHour, currency }: Price): Cost {
  return { amount: round((seconds / SECONDS_PER_HOUR) * perHour), currency, exact };
}

/** The cost of all workers for the expected time of a run. Null when time or price is unknown. */
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

/** How many seconds of all instances together an amount pays for. */
export function secondsFor(amount: number, { perHour }: Price): number {
  return (amount / perHour) * SECONDS_PER_HOUR;
}

function round(amount: number): number {
  return Number(amount.toFixed(DIGITS));
}
