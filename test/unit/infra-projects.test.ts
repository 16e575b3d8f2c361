import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = new URL('../../', import.meta.url);

describe('the Pulumi projects of this repository', () => {
  it.each(['Pulumi.yaml', 'examples/pulumi/Pulumi.yaml'])(
    '%s lets the engine refuse a version that would destroy without hooks',
    (file) => {
      const project: unknown = parse(readFileSync(new URL(file, root), 'utf8'));
      expect(project).toMatchObject({ requiredPulumiVersion: '>=3.182.0' });
    },
  );

  it.skipIf(process.platform === 'win32')(
    'an installation of the package changes no file mode of a clone',
    () => {
      // npm makes the file of `bin` executable.
      expect(statSync(new URL('orchestrator/main.ts', root)).mode & 0o111).toBe(0o111);
    },
  );
});
