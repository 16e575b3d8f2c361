import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { messageOf } from '../message-of.ts';
import { scheduleWithTimers as schedule } from '../schedule.ts';
import type { BootSettings, InstanceValues, WorkerSettings } from '../settings.ts';
import type { Worker } from '../start.ts';
import { type Identity, readIdentity } from './identity.ts';
import { InstanceMetadata } from './metadata.ts';
import { Notices } from './notices.ts';
import { readParameters } from './parameters.ts';
import { type Pace, persist } from './persist.ts';
import { retire } from './retire.ts';
import { shutDownMachine } from './shut-down.ts';
import { terminateInstance } from './terminate.ts';

const now = (): number => performance.now();
const PACE: Pace = { now, sleep: (ms) => sleep(ms), random: Math.random };

/** The EC2 instance of the worker: its identity, its notices, and its end. */
export class Instance {
  readonly #settings: BootSettings;
  readonly #log: Logger;
  readonly #metadata: InstanceMetadata;
  readonly #identity: Promise<Identity>;

  /** Reads the identity of the instance at once. */
  constructor(settings: BootSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    this.#metadata = new InstanceMetadata(settings.metadata_url, now);
    this.#identity = persist(() => readIdentity(this.#metadata), settings.boot_timeout_ms, PACE);
    this.#identity.catch(() => undefined); // The callers that need the identity get the error.
  }

  /**
   * The settings that the instance gives. Flags and environment override them.
   * @throws Error if metadata or parameters cannot be read within the time for the boot
   */
  async readValues(): Promise<InstanceValues> {
    const { parameters: path, boot_timeout_ms: withinMs } = this.#settings;
    const { id, host, region, group } = await this.#identity;
    this.#log.info({ instance: id, host, region, group }, 'on an EC2 instance');
    const parameters =
      path === null ? null : await persist(() => readParameters(path, region), withinMs, PACE);
    return { metadata: { id, host }, parameters };
  }

  /** Watches for notices that the instance will be taken away, and prepares the worker. */
  watch(worker: Pick<Worker, 'drain' | 'cancelWaiting' | 'cancelAll'>, settings: WorkerSettings): Notices {
    return new Notices({
      metadata: this.#metadata,
      intervalMs: settings.notice_interval_ms,
      marginMs: settings.notice_margin_ms,
      schedule,
      now: Date.now,
      drain: (why) => {
        this.#log.warn({ why }, 'draining');
        worker.drain();
      },
      handBackWaiting: (why) => void worker.cancelWaiting(why),
      handBackRunning: (why) => void worker.cancelAll(why),
      onError: (error) => this.#log.warn({ error: messageOf(error) }, 'the notices of AWS cannot be read'),
    });
  }

  /**
   * Ends the instance, see retire.ts. An instance without an identity can only shut down.
   * @throws Error if the instance cannot be ended
   */
  async retire(decrement: boolean): Promise<void> {
    const { retire_timeout_ms: timeoutMs, shutdown_command: command } = this.#settings;
    const shutDown = (): Promise<void> => shutDownMachine(command);
    const onLastResort = (why: string): void =>
      this.#log.error({ why, command }, 'shutting the machine down');
    const identity = await this.#identity.catch((error: unknown) => messageOf(error));
    if (typeof identity === 'string') {
      onLastResort(identity);
      return shutDown();
    }
    const effects = {
      ...PACE,
      terminate: (decrement: boolean) => terminateInstance(identity, decrement),
      shutDown,
      onTermination: (decrement: boolean, termination: object) =>
        this.#log.info({ instance: identity.id, decrement, ...termination }, 'asked the group to terminate'),
      onLastResort,
    };
    return retire({ decrement, timeoutMs }, effects);
  }
}
