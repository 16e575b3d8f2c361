export interface Running {
  isRunning(): boolean;
  stop(): Promise<void>;
}

/** Starts a service when it is first wanted, once for all who want it. It starts the service again if it died or failed. */
export class OnDemand<Service extends Running> {
  readonly #start: () => Promise<Service>;
  #current: Promise<Service> | null = null;

  constructor(start: () => Promise<Service>) {
    this.#start = start;
  }

  async get(): Promise<Service> {
    const current = this.#current;
    const service = await current?.catch(() => null);
    if (service?.isRunning()) return service;
    if (this.#current === current) this.#current = this.#start();
    return this.#current as Promise<Service>;
  }

  /** Waits for a start that is under way, then ends the service. */
  async stop(): Promise<void> {
    const service = await this.#current?.catch(() => null);
    await service?.stop();
  }
}
