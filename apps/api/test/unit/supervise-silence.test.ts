import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SILENCE_LIMIT, SilenceWatch } from '../../src/supervise/silence.ts';

describe('a process that says that it is alive', () => {
  let stuck: ReturnType<typeof vi.fn<() => void>>;
  let watch: SilenceWatch;
  beforeEach(() => {
    vi.useFakeTimers();
    stuck = vi.fn<() => void>();
    watch = new SilenceWatch(SILENCE_LIMIT, stuck);
  });
  afterEach(() => {
    watch.end();
    vi.useRealTimers();
  });

  it('is stuck after 30 s of silence, and told so once', () => {
    watch.heard();
    vi.advanceTimersByTime(30_000);
    expect(stuck).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2_000);
    expect(stuck).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(3_600_000);
    expect(stuck).toHaveBeenCalledOnce();
  });

  it('is not while it says a word now and then', () => {
    for (let n = 0; n < 100; n++) {
      watch.heard();
      vi.advanceTimersByTime(29_000);
    }
    expect(stuck).not.toHaveBeenCalled();
  });

  it('is not watched before its first word, nor after its end', () => {
    vi.advanceTimersByTime(3_600_000);
    watch.heard();
    watch.end();
    vi.advanceTimersByTime(3_600_000);
    expect(stuck).not.toHaveBeenCalled();
  });
});
