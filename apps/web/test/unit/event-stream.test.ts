import { beforeEach, describe, expect, it } from 'vitest';
import {
  openEventStream,
  type StreamState,
  silenceMs,
} from '../../src/features/telemetry/model/event-stream.ts';

/** What of EventSource the stream uses, driven by the test. */
class FakeSource {
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  readonly url: string;
  readonly #listeners = new Map<string, (event: { data: string; lastEventId: string }) => void>();
  constructor(url: string) {
    this.url = url;
  }
  addEventListener(name: string, listener: (event: { data: string; lastEventId: string }) => void) {
    this.#listeners.set(name, listener);
  }
  close() {
    this.closed = true;
  }
  say(name: string, data: unknown, lastEventId = '') {
    this.#listeners.get(name)?.({ data: JSON.stringify(data), lastEventId });
  }
}

let nowMs = 0;
let timers: { atMs: number; run: () => void }[] = [];
let sources: FakeSource[] = [];
let states: StreamState[] = [];
let events: unknown[] = [];
let refused = 0;

function advance(ms: number) {
  const end = nowMs + ms;
  for (;;) {
    const next = timers.filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
    if (next === undefined) break;
    timers = timers.filter((timer) => timer !== next);
    nowMs = next.atMs;
    next.run();
  }
  nowMs = end;
}

function open() {
  return openEventStream(
    '/v1/events',
    {
      create: (url) => {
        const source = new FakeSource(url);
        sources.push(source);
        return source as unknown as EventSource;
      },
      now: () => nowMs,
      after: (delayMs, run) => {
        const timer = { atMs: nowMs + delayMs, run };
        timers.push(timer);
        return () => {
          timers = timers.filter((each) => each !== timer);
        };
      },
    },
    {
      onState: (state) => states.push(state),
      onEvent: (name, data) => events.push([name, data]),
      onRefused: () => {
        refused += 1;
      },
    },
  );
}

beforeEach(() => {
  nowMs = 0;
  timers = [];
  sources = [];
  states = [];
  events = [];
  refused = 0;
});

describe('the one event stream', () => {
  it('hands on what it hears', () => {
    open();
    sources[0]?.onopen?.();
    sources[0]?.say('telemetry', { at: 1 }, '7');
    expect(states).toEqual(['connecting', 'open']);
    expect(events).toEqual([['telemetry', { at: 1 }]]);
  });

  it('hands on that something in between is gone', () => {
    open();
    sources[0]?.onopen?.();
    sources[0]?.say('reset', {});
    expect(events).toEqual([['reset', {}]]);
  });

  it('leaves a broken connection to the browser, and says that it dropped', () => {
    open();
    sources[0]?.onopen?.();
    sources[0]?.onerror?.();
    advance(1_500);
    expect(states.at(-1)).toBe('dropped');
    expect(sources).toHaveLength(1);
    expect(refused).toBe(0);
  });

  it('opens again after a refusal, later each time, and resumes behind the last id', () => {
    open();
    sources[0]?.onopen?.();
    sources[0]?.say('heartbeat', {}, 'a 1');
    const refuse = () => {
      const source = sources.at(-1);
      if (source === undefined) return;
      source.readyState = 2;
      source.onerror?.();
    };
    refuse();
    advance(500);
    expect(sources.at(-1)?.url).toBe('/v1/events?lastEventId=a%201');
    refuse();
    advance(500);
    expect(sources).toHaveLength(2);
    advance(500);
    expect(sources).toHaveLength(3);
    expect(refused).toBe(2);
  });

  it('takes silence for a drop', () => {
    open();
    sources[0]?.onopen?.();
    advance(silenceMs + 2_500);
    expect(sources[0]?.closed).toBe(true);
    expect(states).toContain('dropped');
    expect(sources.length).toBeGreaterThan(1);
  });

  it('ends for good', () => {
    const close = open();
    close();
    advance(60_000);
    expect(sources).toHaveLength(1);
    expect(sources[0]?.closed).toBe(true);
    expect(timers).toEqual([]);
  });
});
