import { describe, expect, it } from 'vitest';
import { type GateLimits, HighWaterGate } from '../../src/data-plane/replay/high-water-gate.ts';

/** A stream of which only its length and the age of what waits matter. */
function world(
  limits: Partial<GateLimits> = {},
  stream = { length: 0, oldestMs: 0 as number | null, isRead: true },
) {
  const clock = { wall: 1_000, now: () => clock.wall };
  const gate = new HighWaterGate(
    {
      name: 'replay',
      producer: {
        length: async () => stream.length,
      },
      stats: async () => ({
        ...{ length: stream.length, lengthBytes: 0, oldestPublishedAt: null, lastOffset: null },
        group: stream.isRead ? { acknowledged: null, lagEntries: 0, lagMs: stream.oldestMs } : null,
      }),
    },
    () => ({ highWaterMark: 1_000, sharedFreshnessTargetMs: null, ...limits }),
    clock,
  );
  return { stream, clock, gate, room: () => gate.pass(async (room) => room) };
}

describe('the gate at the high-water mark', () => {
  it('closes at the mark and opens at the low-water mark, and says when', async () => {
    const { stream, clock, gate, room } = world();
    expect(await room()).toBe(1_000);
    stream.length = 999;
    expect(await room()).toBe(1);
    expect(gate.report()).toMatchObject({ closed: false, closedAt: null, openedAt: null });
    stream.length = 1_000;
    clock.wall = 2_000;
    expect(await room()).toBe(0);
    stream.length = 801;
    clock.wall = 3_000;
    expect(await room()).toBe(0);
    expect(gate.report()).toEqual({
      ...{ stream: 'replay', closed: true, closedAt: 2_000, openedAt: null, peakLength: 1_000 },
    });
    stream.length = 800;
    clock.wall = 4_000;
    expect(await room()).toBe(200);
    expect(gate.report()).toMatchObject({ closed: false, closedAt: 2_000, openedAt: 4_000, peakLength: 800 });
  });

  it('tells an append what is there', async () => {
    const { stream, gate } = world();
    stream.length = 300;
    expect(await gate.pass(async (room, length) => [room, length])).toEqual([700, 300]);
  });

  it('lets one append pass at a time: many leases do not overshoot together', async () => {
    const { stream, gate } = world();
    const append = () =>
      gate.pass(async (room) => {
        const events = Math.min(room, 400);
        await Promise.resolve();
        stream.length += events;
      });
    await Promise.all(Array.from({ length: 16 }, append));
    expect(stream.length).toBe(1_000);
  });

  it('of two workers each has its own: together they are beyond the mark by one append at most', async () => {
    const { stream, gate } = world();
    const another = world({}, stream).gate;
    let longest = 0;
    const appends = [gate, another].flatMap((one) =>
      Array.from({ length: 50 }, () =>
        one.pass(async (room) => {
          const events = Math.min(room, 300);
          await Promise.resolve();
          stream.length += events;
          longest = Math.max(longest, stream.length);
          await Promise.resolve();
          stream.length -= Math.min(stream.length, 100);
        }),
      ),
    );
    await Promise.all(appends);
    expect(longest).toBeGreaterThanOrEqual(1_000);
    expect(longest).toBeLessThanOrEqual(1_300);
  });

  it('goes on after an append that failed', async () => {
    const { gate, room } = world();
    await expect(gate.pass(() => Promise.reject(new Error('full disk')))).rejects.toThrow('full disk');
    expect(await room()).toBe(1_000);
  });

  it('on a stream that live shares is closed while what waits has waited a quarter of the target', async () => {
    const { stream, room } = world({ sharedFreshnessTargetMs: 40 });
    stream.oldestMs = 10;
    expect(await room()).toBe(1_000);
    stream.oldestMs = 11;
    expect(await room()).toBe(0);
    stream.oldestMs = null;
    expect(await room(), 'unknown counts as too old').toBe(0);
    stream.isRead = false;
    expect(await room(), 'nobody applies').toBe(0);
  });
});
