import { expect, test } from 'vitest';
import { describeFailure, playwrightFailures, vitestFailures } from './test-failures.ts';

test('names the tests of vitest that failed, and files that did not load', () => {
  const testResults = [
    { name: `${process.cwd()}/a.test.ts`, status: 'failed', message: 'no such module', assertionResults: [] },
    {
      name: `${process.cwd()}/b.test.ts`,
      status: 'failed',
      message: '',
      assertionResults: [
        { fullName: 'works', status: 'passed', failureMessages: [] },
        { fullName: 'holds', status: 'failed', failureMessages: ['expected 1 to be 2'] },
      ],
    },
  ];
  expect(vitestFailures({ testResults })).toEqual([
    { file: 'a.test.ts', test: '(did not load)', message: 'no such module' },
    { file: 'b.test.ts', test: 'holds', message: 'expected 1 to be 2' },
  ]);
});

test('names the tests of Playwright that failed, however deep they are grouped', () => {
  const failing = {
    title: 'is shown',
    ok: false,
    tests: [{ results: [{ error: { message: 'not seen' } }, {}] }],
  };
  const passing = { title: 'is hidden', ok: true, tests: [{ results: [{}] }] };
  const suites = [{ file: 'c.spec.ts', specs: [passing], suites: [{ file: 'c.spec.ts', specs: [failing] }] }];
  expect(playwrightFailures({ suites })).toEqual([
    { file: 'c.spec.ts', test: 'is shown', message: 'not seen\n' },
  ]);
});

test('a message keeps its beginning and loses its colours', () => {
  const message = `\u001b[31mexpected\u001b[39m\n${'at\n'.repeat(100)}`;
  const lines = describeFailure({ file: 'd.test.ts', test: 'holds', message }).split('\n');
  expect(lines.slice(0, 2)).toEqual(['✗ d.test.ts › holds', '    expected']);
  expect(lines).toHaveLength(13);
});
