/** Live figures of a task's deliveries. */
export class DeliveryMeter {
  bytesSent = 0;
  /** Requests that had to be sent again, wholly or in part. */
  retries = 0;
  /** True from a request of which nothing could be settled until the next of which something could. */
  waiting = false;
  /** Documents that the cluster took, or had a newer version of. */
  taken = 0;
  /** Documents at fault that failed with 5xx. */
  faulty = 0;
  /** Why the last request was not settled, as a clause with a key, for a person. Null: none had to be sent again. */
  trouble: string | null = null;
}
