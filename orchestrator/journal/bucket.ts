import type { S3 } from '@aws-sdk/client-s3';
import { callerAccount } from '../aws/account.ts';
import type { AwsClients } from '../aws/clients.ts';
import { type BucketAction, bucketFailure } from './bucket-failure.ts';

/** Where a fleet's journal is in a bucket. */
export interface BucketPlace {
  readonly bucket: string;
  /** The beginning of every key, without a slash at either end. */
  readonly prefix: string;
}

/** What happens to an object or a folder of the journal, for the call and for its error. */
export interface BucketCall {
  readonly action: BucketAction;
  readonly doing: 'read' | 'written';
  /** The name in the journal. */
  readonly name: string;
}

/** A bucket of this account. Each call names the owner that it expects, so S3 refuses a bucket of another account. */
export class Bucket {
  readonly location: string;
  readonly #aws: AwsClients;
  readonly #place: BucketPlace;
  #account: Promise<string> | null = null;

  constructor(aws: AwsClients, place: BucketPlace) {
    this.#aws = aws;
    this.#place = place;
    this.location = `s3://${place.bucket}/${place.prefix}`;
  }

  keyOf(name: string): string {
    return `${this.#place.prefix}/${name}`;
  }

  nameOf(key: string): string {
    return key.slice(this.#place.prefix.length + 1);
  }

  /**
   * Makes a call.
   *
   * @param work the call, and what each call of this bucket says
   * @throws RunFailed, or Unreachable where another try may help; see `bucket-failure.ts`
   */
  async call<T>(
    { action, doing, name }: BucketCall,
    work: (s3: S3, shared: { Bucket: string; ExpectedBucketOwner: string }) => Promise<T>,
  ): Promise<T> {
    // Asked only once, even if it fails: a command then ends, so the same failure is not waited for again.
    this.#account ??= callerAccount(this.#aws);
    const account = await this.#account;
    const { bucket } = this.#place;
    const s3 = await this.#aws.s3();
    try {
      return await work(s3, { Bucket: bucket, ExpectedBucketOwner: account });
    } catch (error) {
      const key = this.keyOf(name);
      throw bucketFailure({ action, doing, bucket, key, account, region: this.#aws.region }, error);
    }
  }
}
