import type { S3 } from '@aws-sdk/client-s3';
import { callerAccount } from '../aws/account.ts';
import type { AwsClients } from '../aws/clients.ts';
import { type BucketAction, bucketFailure } from './bucket-failure.ts';

/** Where in a bucket a fleet's journal lies. */
export interface BucketPlace {
  readonly bucket: string;
  /** What every key begins with; no slash at its ends. */
  readonly prefix: string;
}

/** What is to be done with an object or a folder of the journal, for the call and for the sentence if it fails. */
export interface BucketCall {
  readonly action: BucketAction;
  readonly doing: 'read' | 'written';
  /** As the journal names it. */
  readonly name: string;
}

/** A bucket of this very account. Each call names the owner that it expects, so that S3 refuses one of another account. */
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
   * @param work what to call, and what each call of this bucket says
   * @throws RunFailed, Unreachable where another try may help; see `bucket-failure.ts`
   */
  async call<T>(
    { action, doing, name }: BucketCall,
    work: (s3: S3, shared: { Bucket: string; ExpectedBucketOwner: string }) => Promise<T>,
  ): Promise<T> {
    // Asked once, also when that fails: a command then ends, and the same failure is not waited for again.
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
