/** How a kind of fleet bills its instances. */
export interface Billing {
  /** The least that one instance costs, as seconds of use. 0: nothing. */
  readonly leastSeconds: number;
}
