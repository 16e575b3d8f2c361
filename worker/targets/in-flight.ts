/** What is on its way to a place and has no answer yet, in bytes. */
export interface InFlight {
  readonly bytes: number;
  /** What flow control allows now. */
  readonly limitBytes: number;
  /** What flow control may ever allow. */
  readonly ceilingBytes: number;
}

export const NOTHING_IN_FLIGHT: InFlight = { bytes: 0, limitBytes: 0, ceilingBytes: 0 };

/** Of several places together. */
export function sumInFlight(all: readonly InFlight[]): InFlight {
  return all.reduce(
    (sum, one) => ({
      bytes: sum.bytes + one.bytes,
      limitBytes: sum.limitBytes + one.limitBytes,
      ceilingBytes: sum.ceilingBytes + one.ceilingBytes,
    }),
    NOTHING_IN_FLIGHT,
  );
}
