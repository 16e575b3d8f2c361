/** EC2's words. */
export type Processor = 'arm64' | 'x86_64';

/**
 * What an instance type has, by its name: behind the generation a g stands for Graviton (c7gn).
 * https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
 */
export function processorOf(type: string): Processor {
  return /^(a1|[a-z]+\d+[a-z]*g[a-z]*)[.-]/.test(type) ? 'arm64' : 'x86_64';
}
