import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  addCounts,
  closingLine,
  countPlaywright,
  countReport,
  countVitest,
  readReport,
} from './test-counts.ts';

const vitestReport = {
  success: false,
  numPassedTests: 7,
  numFailedTests: 2,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [
    { status: 'failed', assertionResults: [] },
    { status: 'passed', assertionResults: [{}] },
  ],
};

test('a file that does not load is one failure beside those of tests', () => {
  expect(countVitest(vitestReport)).toEqual({ passed: 7, failed: 3, skipped: 2 });
});

test('flaky tests and errors outside tests are failures', () => {
  const stats = { expected: 4, unexpected: 1, flaky: 1, skipped: 1 };
  expect(countPlaywright({ stats, errors: [{}] })).toEqual({ passed: 4, failed: 3, skipped: 1 });
});

test('the closing line adds up and names what was skipped only when something was', () => {
  const one = { passed: 7, failed: 0, skipped: 0 };
  expect(closingLine(addCounts([one, one]))).toBe('14 passed, 0 failed');
  expect(closingLine(addCounts([one, { passed: 1, failed: 2, skipped: 3 }]))).toBe(
    '8 passed, 2 failed, 3 skipped',
  );
});

describe('a report is squared with how its runner ended', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-counts-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const allPassed = { ...vitestReport, numFailedTests: 0, testResults: [] };
  test.each([
    ['all passed, exit 0', allPassed, true, 0],
    ['all passed, yet the runner failed', allPassed, false, 1],
    ['failures are not counted twice', { ...allPassed, numFailedTests: 2 }, false, 2],
  ])('%s', (_name, report, succeeded, failed) => {
    const path = join(folder, 'report.json');
    writeFileSync(path, JSON.stringify(report));
    expect(countReport(readReport(path), countVitest, succeeded).failed).toBe(failed);
  });

  test('no report at all is a failure, whatever the exit code', () => {
    expect(countReport(readReport(join(folder, 'absent.json')), countVitest, true)).toEqual({
      passed: 0,
      failed: 1,
      skipped: 0,
    });
  });
});
