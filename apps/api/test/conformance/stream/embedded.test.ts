import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { embeddedIdentity } from '../../../src/adapters/stream-embedded/identity.ts';
import { openEmbeddedStream } from '../../../src/adapters/stream-embedded/stream.ts';
import { clear, prepare } from './embedded.adapter.ts';
import { liveEvents } from './entries.ts';
import { streamConformance } from './stream-conformance.ts';

const NEVER = new AbortController().signal;

streamConformance('embedded stream', fileURLToPath(new URL('embedded.adapter.ts', import.meta.url)));
streamConformance(
  'embedded stream, flushed',
  fileURLToPath(new URL('embedded-power-loss.adapter.ts', import.meta.url)),
);

describe('embedded stream: its own', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await prepare();
  });
  afterEach(() => clear(directory));

  test('a position beyond the end is a gap: what comes next must not be skipped', async () => {
    const stream = await openEmbeddedStream({ directory, name: 'live' });
    await stream.producer.append(liveEvents('e', 3));
    const consumer = stream.consumer('reader');
    const beyond = { after: '0000000000000004', maxEntries: 1, waitMs: 0, signal: NEVER };
    await expect(consumer.read(beyond)).rejects.toMatchObject({ code: 'gap' });
    await expect(consumer.acknowledge('0000000000000004')).rejects.toMatchObject({ code: 'gap' });
    expect(await consumer.read({ ...beyond, after: '0000000000000003' })).toEqual([]);
    await stream.close();
  });

  test('full at its limit, with nothing of the append that was too much; trimming makes room', async () => {
    const stream = await openEmbeddedStream({ directory, name: 'live', maxBytes: 10_000 });
    const consumer = stream.consumer('reader');
    await consumer.read({ after: null, maxEntries: 1, waitMs: 0, signal: NEVER });
    const { lastOffset } = await stream.producer.append(liveEvents('e', 100), 'first');
    const before = await stream.stats('reader');
    await expect(stream.producer.append(liveEvents('f', 300), 'second')).rejects.toMatchObject({
      code: 'stream_full',
    });
    expect({ ...(await stream.stats('reader')), group: null }).toEqual({ ...before, group: null });
    expect(await stream.producer.producerState()).toBe('first');
    await consumer.acknowledge(lastOffset);
    expect(await stream.trim()).toBe(100);
    await stream.producer.append(liveEvents('f', 200), 'second');
    expect(await stream.producer.length()).toBe(200);
    await stream.close();
  });

  test('two handles in one process are one stream, and closing one leaves the other', async () => {
    const [one, other] = [
      await openEmbeddedStream({ directory, name: 'live' }),
      await openEmbeddedStream({ directory, name: 'live' }),
    ];
    await one.producer.append(liveEvents('e', 1));
    await one.close();
    await expect(one.producer.length()).rejects.toMatchObject({ code: 'stream_unavailable' });
    await other.producer.append(liveEvents('f', 1));
    expect(await other.producer.length()).toBe(2);
    await other.close();
  });

  test('streams of a data directory have one identity, which outlives them and moves with the directory', () => {
    const at = (name: string) => embeddedIdentity(join(directory, name));
    const one = at('one');
    expect([at('one').id, at('other').id === one.id]).toEqual([one.id, false]);
    renameSync(join(directory, 'one'), join(directory, 'moved'));
    expect(at('moved').id).toBe(one.id);
    expect(readdirSync(join(directory, 'moved'))).toEqual(['streams-id']);
  });

  test('a name is not a path', async () => {
    for (const name of ['', '..', 'a/b', 'live.v1', 'Live'])
      await expect(openEmbeddedStream({ directory, name })).rejects.toThrow(RangeError);
  });

  test('a folder that cannot be is unavailable', async () => {
    await expect(openEmbeddedStream({ directory: '/dev/null', name: 'live' })).rejects.toMatchObject({
      code: 'stream_unavailable',
    });
  });
});
