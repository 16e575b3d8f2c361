import { describe, expect, it } from 'vitest';
import { runProgram, type StackConfiguration } from '../infra/program-run.ts';

const CONFIGURATION: StackConfiguration = {
  image: 'ami-0123456789abcdef0',
  definitions: 'books.yaml',
  source: { url: 'postgres://reader@10.0.0.5/shop' },
  target: { url: 'https://10.0.0.6:9200' },
  network: { orchestrator: { cidrs: ['10.0.0.0/16'] } },
};

describe('the program', () => {
  it('is the same again with the same configuration', async () => {
    const [first, second] = [await runProgram(CONFIGURATION), await runProgram(CONFIGURATION)];
    expect(second).toEqual(first);
  });
});
