import { expect, test } from 'vitest';
import type { ExternalLook, ExternalStream } from '../../src/data-plane/ports.ts';
import { StreamError } from '../../src/data-plane/ports.ts';
import { ExternalWatch } from '../../src/data-plane/replay/external-watch.ts';

const found: ExternalLook = {
  length: 1,
  lagEntries: 0,
  lagMs: 0,
  position: '1',
  finishedEntries: 1,
  lostEntries: 0,
  replaced: false,
};

test('a replaced stream is reported until it has been heard, whatever is seen of it meanwhile', async () => {
  let next: ExternalLook | StreamError = { ...found, replaced: true };
  let looks = 0;
  const stream = {
    name: 's',
    look: async () => {
      looks += 1;
      if (next instanceof StreamError) throw next;
      return next;
    },
  } as unknown as ExternalStream;
  const stop = new AbortController();
  const watch = new ExternalWatch(
    { external: () => [{ pipelineId: 'p', stream }] },
    { warn: () => undefined },
  );
  const watching = watch.watch(stop.signal);
  await expect.poll(() => watch.reports()).toMatchObject([{ stream: 's', position: '1', replaced: true }]);

  next = new StreamError('stream_unavailable', 'away');
  await expect.poll(() => watch.reports()).toMatchObject([{ position: null, replaced: true }]);
  next = found;
  const before = looks;
  await expect.poll(() => looks).toBeGreaterThan(before);
  const told = watch.reports();
  expect(told).toMatchObject([{ position: '1', replaced: true }]);

  watch.delivered(told);
  expect(watch.reports()[0]).not.toHaveProperty('replaced');
  stop.abort();
  await watching;
});
