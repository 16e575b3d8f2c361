/** Processors, as EC2 names them. */
export type Processor = 'arm64' | 'x86_64';

/**
 * The processor of an instance type, by its name. A g behind the generation means Graviton (c7gn).
 * https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
 */
export function processorOf(type: string): Processor {
  return /^(a1|[a-z]+\d+[a-z]*g[a-z]*)[.-]/.test(type) ? 'arm64' : 'x86_64';
}
