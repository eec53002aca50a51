import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { hashOfSources, webBuiltFrom } from '../apps/api/src/supervise/web-build.ts';
import { setup as makeTemplates } from '../apps/api/test/fixtures/database-templates.ts';
import { ensureChromium } from '../playwright/chromium.ts';
import { checkSteps } from './check-steps.ts';
import { stalePictures } from './pictures.ts';
import { runStep, runSteps, timesOfSteps } from './step.ts';
import {
  addCounts,
  closingLine,
  countPlaywright,
  countReport,
  countVitest,
  readReport,
  type TestCounts,
} from './test-counts.ts';
import { describeFailure, playwrightFailures, vitestFailures } from './test-failures.ts';

/**
 * `pnpm test`: every check and every test, cheapest first, all of them even when an early one fails, so that
 * one run tells everything. The closing line adds up tests; a check or a build that failed counts as one failure.
 */
const vitestReport = 'reports/vitest.json';
const playwrightReport = 'reports/playwright.json';
rmSync('reports', { recursive: true, force: true });

// Before anything slow: a machine that cannot have a browser should hear so in its first second.
try {
  ensureChromium();
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}

const counts: TestCounts[] = [];
const failedSteps: string[] = [];
const stepFailed = (name: string): void => {
  failedSteps.push(name);
  counts.push({ passed: 0, failed: 1, skipped: 0 });
};

for (const name of await runSteps(checkSteps)) stepFailed(name);

// Before anything is started that would build it: once for all systems of the tests.
const repository = join(import.meta.dirname, '..');
const hash = hashOfSources(repository);
const built = await runStep({
  name: 'build of the web',
  command: ['pnpm', '--filter', '@spillway/web', 'build'],
});
if (built) webBuiltFrom(repository, hash);
else stepFailed('build of the web');

// Vitest and Playwright find them in their environment.
try {
  const removeTemplates = await makeTemplates();
  process.once('exit', () => removeTemplates?.());
} catch (error) {
  console.error((error as Error).message);
  stepFailed('database templates');
}

const vitestOk = await runStep({
  name: 'unit, conformance, integration',
  command: ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`],
});
const ranVitest = readReport(vitestReport);
counts.push(countReport(ranVitest, countVitest, vitestOk));

const playwrightOk = await runStep({
  name: 'browser',
  command: [
    'playwright',
    'test',
    '--config=playwright/playwright.config.ts',
    '--project=browser',
    '--pass-with-no-tests',
  ],
});
const ranPlaywright = readReport(playwrightReport);
counts.push(countReport(ranPlaywright, countPlaywright, playwrightOk));

const sum = addCounts(counts);
const failures = [
  ...(ranVitest === undefined ? [] : vitestFailures(ranVitest as never)),
  ...(ranPlaywright === undefined ? [] : playwrightFailures(ranPlaywright as never)),
];
for (const failure of failures) console.log(`\n${describeFailure(failure)}`);
if (failedSteps.length > 0) console.log(`\nFailed besides tests: ${failedSteps.join(', ')}`);
const stale = stalePictures(repository);
if (stale.length > 0)
  console.log(
    `\nOlder than their screens are the pictures ${stale.join(', ')}: pnpm screenshots takes them anew. A release needs them (docs/decisions/0019-pictures.md).`,
  );
console.log(`\n${timesOfSteps()}\n${closingLine(sum)}`);
process.exit(sum.failed === 0 && sum.passed > 0 ? 0 : 1);
