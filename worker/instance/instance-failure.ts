import { Failure } from '../../definition/failure.ts';

/** The instance does not give or do what a worker needs. */
export class InstanceFailure extends Failure {
  override readonly name = 'InstanceFailure';
  override readonly move = 'mend-and-repeat';
}
