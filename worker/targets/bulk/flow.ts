/**
 * How many bytes may be in flight to the cluster: additive increase, multiplicative decrease (AIMD, as in TCP congestion
 * avoidance, RFC 5681 section 3.1). Pure: the time is an argument, in milliseconds of any monotonic clock.
 *
 * The limit grows by one step per round trip while senders are held back by it and throughput rises with it; it is halved
 * when the cluster answers 429, at most once per round trip, and on a timeout. What timed out still executes on the cluster,
 * so its bytes count as in flight for a cool-down.
 */
export interface FlowSettings {
  readonly startBytes: number;
  /** The limit never falls below this. */
  readonly floorBytes: number;
  /** The limit never rises above this. */
  readonly ceilingBytes: number;
  /** Growth per round trip. */
  readonly stepBytes: number;
  /** For how long the bytes of a timed-out request count as in flight. */
  readonly coolDownMs: number;
}

const CUT_FACTOR = 0.5;
/** Throughput is compared over stretches of this length. */
const WINDOW_MS = 1_000;
/** Growth that does not raise throughput by this factor is not worth its load. */
const WORTHWHILE_RISE = 1.02;
/** After growth that brought nothing, the next try is this far away. */
const HOLD_MS = 10_000;

interface Cooling {
  readonly bytes: number;
  readonly untilMs: number;
}

export class Flow {
  readonly #settings: FlowSettings;
  #limitBytes: number;
  #inFlightBytes = 0;
  readonly #cooling: Cooling[] = [];
  #lastCutAtMs = Number.NEGATIVE_INFINITY;
  /** Whether a sender was held back by the limit since it last grew. */
  #pressed = false;
  #windowStartMs: number | null = null;
  #windowBytes = 0;
  #grewInWindow = false;
  #previousRate = 0;
  #holdUntilMs = Number.NEGATIVE_INFINITY;

  constructor(settings: FlowSettings) {
    const floorBytes = Math.min(settings.floorBytes, settings.ceilingBytes);
    this.#settings = { ...settings, floorBytes };
    this.#limitBytes = Math.max(floorBytes, Math.min(settings.startBytes, settings.ceilingBytes));
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  get ceilingBytes(): number {
    return this.#settings.ceilingBytes;
  }

  /** Bytes that the cluster works on, those of timed-out requests in their cool-down among them. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Whether a request of this size may be sent now. One alone may always be, however large. */
  mayEnter(bytes: number, nowMs: number): boolean {
    this.#thaw(nowMs);
    const free = this.#inFlightBytes === 0 || this.#inFlightBytes + bytes <= this.#limitBytes;
    if (!free) this.#pressed = true;
    return free;
  }

  /** When the next cooling bytes are free again; null when none cool. */
  get nextThawMs(): number | null {
    return this.#cooling[0]?.untilMs ?? null;
  }

  enter(bytes: number): void {
    this.#inFlightBytes += bytes;
  }

  /** The cluster took the request. */
  acknowledge(bytes: number, nowMs: number): void {
    this.#inFlightBytes -= bytes;
    this.#measure(bytes, nowMs);
    if (!this.#pressed || nowMs < this.#holdUntilMs) return;
    const growth = this.#settings.stepBytes * Math.min(1, bytes / this.#limitBytes);
    const grown = Math.min(this.#settings.ceilingBytes, this.#limitBytes + growth);
    this.#grewInWindow ||= grown > this.#limitBytes;
    this.#limitBytes = grown;
    this.#pressed = false;
  }

  /** The cluster turned the request, or items of it, away as too much. */
  refuse(bytes: number, sentAtMs: number, nowMs: number): void {
    this.#inFlightBytes -= bytes;
    this.#cut(sentAtMs, nowMs);
  }

  /** No answer came in time. */
  timeOut(bytes: number, sentAtMs: number, nowMs: number): void {
    this.#cooling.push({ bytes, untilMs: nowMs + this.#settings.coolDownMs });
    this.#cut(sentAtMs, nowMs);
  }

  /** The request ended in a way that says nothing of the cluster's load. */
  release(bytes: number): void {
    this.#inFlightBytes -= bytes;
  }

  /** A request sent before the last cut met the load of before: it is no reason for another. */
  #cut(sentAtMs: number, nowMs: number): void {
    if (sentAtMs < this.#lastCutAtMs) return;
    this.#lastCutAtMs = nowMs;
    this.#limitBytes = Math.max(this.#settings.floorBytes, this.#limitBytes * CUT_FACTOR);
    this.#pressed = false;
    this.#grewInWindow = false;
  }

  #thaw(nowMs: number): void {
    while (this.#cooling[0] !== undefined && this.#cooling[0].untilMs <= nowMs) {
      this.#inFlightBytes -= this.#cooling[0].bytes;
      this.#cooling.shift();
    }
  }

  #measure(bytes: number, nowMs: number): void {
    this.#windowStartMs ??= nowMs;
    this.#windowBytes += bytes;
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs < WINDOW_MS) return;
    const rate = this.#windowBytes / elapsedMs;
    if (this.#grewInWindow && rate < this.#previousRate * WORTHWHILE_RISE)
      this.#holdUntilMs = nowMs + HOLD_MS;
    this.#previousRate = rate;
    this.#windowStartMs = nowMs;
    this.#windowBytes = 0;
    this.#grewInWindow = false;
  }
}
