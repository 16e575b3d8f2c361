import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';
import { NO_TIME_LEFT } from './no-time-left.ts';

/** Why a test was left out: nobody asked for it, no time was left for it, or what it needs is missing. */
type Reason = 'not asked for' | 'no time' | 'missing component';

/**
 * Says at a run's end which tests were left out, and why. Writes the number of each outcome to the file of TEST_COUNTS
 * for `.ci/run`, as one line: passed, failed, missing component, no time.
 */
export default class LeftOutReporter implements Reporter {
  #vitest: Vitest | null = null;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const leftOut = Object.groupBy(
      tests.filter((test) => test.result().state === 'skipped'),
      (test) => reasonOf(test, this.#filter()),
    );
    this.#say('Left out, for a component is missing', byFile(leftOut['missing component'] ?? [], tests));
    this.#say('Left out, for no time was left', (leftOut['no time'] ?? []).map(nameOf));
    const long = (leftOut['not asked for'] ?? []).filter(isLong).length;
    if (long > 0) this.#vitest?.logger.log(`${long} long tests were left to npm run test:full.`);

    const file = process.env['TEST_COUNTS'];
    if (file === undefined) return;
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const broken = suites.filter((suite) => suite.errors().length > 0).length + errors.length;
    const counts = [
      tests.filter((test) => test.result().state === 'passed').length,
      tests.filter((test) => test.result().state === 'failed').length + broken,
      leftOut['missing component']?.length ?? 0,
      leftOut['no time']?.length ?? 0,
    ];
    writeFileSync(file, `${counts.join(' ')}\n`);
  }

  #filter(): string {
    return this.#vitest?.config.tagsFilter?.join(' ') ?? '';
  }

  #say(heading: string, lines: readonly string[]): void {
    if (lines.length > 0) this.#vitest?.logger.log(`\n${heading}:\n  ${lines.join('\n  ')}`);
  }
}

function reasonOf(test: TestCase, filter: string): Reason {
  const result = test.result();
  if (result.state === 'skipped' && result.note === NO_TIME_LEFT) return 'no time';
  const isAskedFor = filter === '' || isLong(test) === (filter === 'long');
  return isAskedFor ? 'missing component' : 'not asked for';
}

function isLong(test: TestCase): boolean {
  return test.tags.includes('long');
}

function nameOf(test: TestCase): string {
  return `${fileOf(test)} > ${test.fullName}`;
}

function fileOf({ module }: TestCase): string {
  return relative(process.cwd(), module.moduleId);
}

/** How many of each file's tests these are. */
function byFile(some: readonly TestCase[], all: readonly TestCase[]): string[] {
  const [of, whole] = [Object.groupBy(some, fileOf), Object.groupBy(all, fileOf)];
  return Object.entries(of).map(
    ([file, tests = []]) => `${file}: ${tests.length} of ${whole[file]?.length} tests`,
  );
}
