import { expect, it } from 'vitest';
import { type Place, placeAfter, settlesInMs, settlesMs } from '../../src/lib/swap.ts';

const pause: Place = { shown: 'pause', sinceMs: null };

it('does not believe the second half of a double click on what has taken the place of Pause', () => {
  const resume = placeAfter(pause, 'resume', 10_000);
  expect(settlesInMs(resume, 10_000 + 120)).toBe(settlesMs - 120);
  expect(settlesInMs(resume, 10_000 + settlesMs)).toBe(0);
});

it('believes at once what has stood there from the beginning, and what is shown again and again', () => {
  expect(settlesInMs(pause, 0)).toBe(0);
  const resume = placeAfter(pause, 'resume', 10_000);
  expect(placeAfter(resume, 'resume', 12_000), 'the clock does not begin anew').toBe(resume);
});
