import { readFileSync } from 'node:fs';

export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}

interface VitestReport {
  success: boolean;
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: unknown[] }[];
}

interface PlaywrightReport {
  stats: { expected: number; unexpected: number; flaky: number; skipped: number };
  errors: unknown[];
}

/** A test file that could not be loaded has no tests to fail, so it counts as one failure itself. */
export function countVitest(report: VitestReport): TestCounts {
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Errors outside any test (a config or a file that does not load) count as failures; flaky ones too. */
export function countPlaywright(report: PlaywrightReport): TestCounts {
  const { expected, unexpected, flaky, skipped } = report.stats;
  return { passed: expected, failed: unexpected + flaky + report.errors.length, skipped };
}

export function addCounts(counts: TestCounts[]): TestCounts {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const each of counts) {
    sum.passed += each.passed;
    sum.failed += each.failed;
    sum.skipped += each.skipped;
  }
  return sum;
}

/** A runner's report; undefined when it left none that can be read. */
export function readReport(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Squares a runner's report with how the runner ended: one that left no report, or failed with every test
 * passed, is itself a failure.
 */
export function countReport(
  report: unknown,
  count: (report: never) => TestCounts,
  succeeded: boolean,
): TestCounts {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const counts = count(report as never);
  return !succeeded && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** The closing line of `pnpm test`. */
export function closingLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
