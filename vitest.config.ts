import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Four files at a time on two cores, for each waits half of its time. A test that needs a quiet machine belongs in test/bench. */
const shared = { maxWorkers: 4, testTimeout: 60_000, hookTimeout: 120_000 };

/** What an example imports as its user does. */
const components = fileURLToPath(new URL('infra/components.ts', import.meta.url));

/** `npm test` leaves these out, `npm run test:full` runs them too, and `.ci/run` as many of them as its time allows. */
const LONG = { name: 'long', description: 'tries again and again what another test shows once' };

export default defineConfig({
  resolve: { alias: { 'reindex-fleet/infra': components } },
  test: {
    ...shared,
    tags: [LONG],
    setupFiles: ['test/long/begin-until.ts'],
    reporters: ['default', './test/long/left-out-reporter.ts'],
    projects: [
      // They leave nothing behind in their process, so each imports but once what others have imported: half of their time.
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false } },
      { extends: true, test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'services',
          include: ['test/contract/**/*.test.ts', 'test/integration/**/*.test.ts'],
          globalSetup: ['test/global-setup.ts'],
        },
      },
    ],
  },
});
