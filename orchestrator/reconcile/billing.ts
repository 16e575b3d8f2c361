/** How a kind of fleet bills its instances. */
export interface Billing {
  /** What one instance costs at least, as seconds of use; 0: nothing. */
  readonly leastSeconds: number;
}
