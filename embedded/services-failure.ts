import { Failure, type NextMove } from '../definition/failure.ts';

/** An embedded service cannot start. The sentence names what to mend on this machine. */
export class ServicesFailure extends Failure {
  override readonly name: string = 'ServicesFailure';
  override readonly move: NextMove = 'mend-and-repeat';
}
