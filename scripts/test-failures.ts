import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** One test that failed, or one file that did not load. */
export interface TestFailure {
  file: string;
  test: string;
  message: string;
}

interface VitestResult {
  name: string;
  status: string;
  message: string;
  assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
}

interface PlaywrightSuite {
  file: string;
  specs: { title: string; ok: boolean; tests: { results: { error?: { message?: string } }[] }[] }[];
  suites?: PlaywrightSuite[];
}

export function vitestFailures({ testResults }: { testResults: VitestResult[] }): TestFailure[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative('.', name);
    if (status === 'failed' && assertionResults.length === 0)
      return [{ file, test: '(did not load)', message }];
    return assertionResults
      .filter((test) => test.status === 'failed')
      .map(({ fullName, failureMessages }) => ({
        file,
        test: fullName,
        message: failureMessages.join('\n'),
      }));
  });
}

export function playwrightFailures({ suites }: { suites: PlaywrightSuite[] }): TestFailure[] {
  return suites.flatMap(({ file, specs, suites: inner = [] }) => [
    ...specs
      .filter(({ ok }) => !ok)
      .map(({ title, tests }) => ({
        file,
        test: title,
        message: tests
          .flatMap(({ results }) => results)
          .map(({ error }) => error?.message ?? '')
          .join('\n'),
      })),
    ...playwrightFailures({ suites: inner }),
  ]);
}

const MESSAGE_LINES = 12;

/** Named once more before the closing line: the end of a long log is what is read, and often all that is kept of it. */
export function describeFailure({ file, test, message }: TestFailure): string {
  const lines = stripVTControlCharacters(message).trim().split('\n');
  const shown = lines.slice(0, MESSAGE_LINES).map((line) => `    ${line}`);
  return [`✗ ${file} › ${test}`, ...shown].join('\n');
}
