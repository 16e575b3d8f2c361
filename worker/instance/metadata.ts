import { exchange } from '../http-exchange.ts';
import { InstanceFailure } from './instance-failure.ts';

/** The longest life of a token that the service allows: six hours. */
const TOKEN_TTL_SECONDS = 21_600;
/** How long before its end a token is renewed. */
const RENEW_BEFORE_MS = 300_000;
const CALL_TIMEOUT_MS = 2_000;
const UNAUTHORIZED = 401;
const NOT_FOUND = 404;

/**
 * Reads the metadata of the instance that this process runs on. It uses only IMDSv2: each call has a session's token (AWS,
 * "Use the Instance Metadata Service"). It does not use AWS's own client, which asks for a token with each call, and stops
 * asking after one late answer.
 */
export class InstanceMetadata {
  readonly #url: string;
  readonly #now: () => number;
  #token = { value: '', renewAtMs: Number.NEGATIVE_INFINITY };

  /**
   * @param url of the service, without a path
   * @param now a monotonic clock in milliseconds
   */
  constructor(url: string, now: () => number) {
    this.#url = url.replace(/\/$/, '');
    this.#now = now;
  }

  /**
   * @param path below `/latest/meta-data/`
   * @returns the text at this path; null: there is none
   * @throws Error that names the path, if the service cannot be reached or gives another answer
   */
  async read(path: string): Promise<string | null> {
    const answer = await this.#call('GET', `meta-data/${path}`, { token: await this.#freshToken() });
    // The machine's clock may have stopped for a while, or the service was restarted.
    if (answer.status !== UNAUTHORIZED) return textOf(answer, path);
    this.#token.renewAtMs = Number.NEGATIVE_INFINITY;
    return textOf(await this.#call('GET', `meta-data/${path}`, { token: await this.#freshToken() }), path);
  }

  async #freshToken(): Promise<string> {
    const nowMs = this.#now();
    if (nowMs >= this.#token.renewAtMs) {
      const { status, text } = await this.#call('PUT', 'api/token', {
        'token-ttl-seconds': String(TOKEN_TTL_SECONDS),
      });
      if (status !== 200)
        throw new InstanceFailure(
          `The instance metadata service gives no token. It answers ${status}. Check the metadata options of the launch template.`,
        );
      this.#token = { value: text, renewAtMs: nowMs + TOKEN_TTL_SECONDS * 1_000 - RENEW_BEFORE_MS };
    }
    return this.#token.value;
  }

  async #call(
    method: 'GET' | 'PUT',
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const named = Object.entries(headers).map(([name, value]) => [`x-aws-ec2-metadata-${name}`, value]);
    try {
      const { status, body } = await exchange({
        url: new URL(`${this.#url}/latest/${path}`),
        method,
        headers: Object.fromEntries(named),
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      });
      return { status, text: body.toString() };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new InstanceFailure(
        `The instance metadata service at ${this.#url} cannot be reached: ${reason}.`,
        {
          cause: error,
        },
      );
    }
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function textOf({ status, text }: Answer, path: string): string | null {
  if (status === NOT_FOUND) return null;
  if (status === 200) return text;
  throw new InstanceFailure(`The instance metadata service answers ${status} for ${path}.`);
}
