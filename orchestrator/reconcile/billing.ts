/** How the time of an instance is billed, as its kind of fleet says. */
export interface Billing {
  /** An instance is billed by the second, and for so many seconds at least. */
  readonly leastSeconds: number;
}
