import { Failure } from '../../definition/failure.ts';

/** The instance does not tell or do what a worker needs of it. */
export class InstanceFailure extends Failure {
  override readonly name = 'InstanceFailure';
  override readonly move = 'mend-and-repeat';
}
