import { createRequire } from 'node:module';
import { z } from 'zod';
import { programDigest } from '../../definition/build.ts';

const manifestSchema = z.object({ name: z.string(), version: z.string() });

/**
 * Which program this is, from its own files alone. The build is the first part of the `build` that workers of this program
 * answer to `GET /healthcheck`; the second part stands for their definitions.
 */
export async function versionWords(): Promise<string> {
  const { name, version } = manifestSchema.parse(createRequire(import.meta.url)('../../package.json'));
  return `${name} ${version} build ${await programDigest()}`;
}
