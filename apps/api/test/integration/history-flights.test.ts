/** The demo's table of airports against the files it was made from, and January as the product reads it against the oracle. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openParquetSource } from '../../src/adapters/source-parquet/parquet-source.ts';
import { readForward } from '../../src/data-plane/history/forward.ts';
import { repeatHistory } from '../../src/data-plane/history/laps.ts';
import type { WholeHistory } from '../../src/data-plane/history/whole-history.ts';
import { flightRegions } from '../../src/demo/flight-regions.ts';
import {
  type FlightSourceId,
  flightsHistory,
  flightsJanuary,
  flightsPipeline,
} from '../../src/demo/flights.ts';
import { query } from '../conformance/source/parquet-fixture.ts';
import { FlightsOracle, type OracleBucket } from '../oracle/flights-oracle.ts';

const sourceIds = flightsPipeline.sources.map(({ id }) => id);
const { spanMs } = flightsPipeline.repeat;
const never = new AbortController().signal;

describe('the regions of the flights', () => {
  const { file } = flightsHistory();

  it('hold every origin of the file exactly once', async () => {
    const origins = (await query(`SELECT DISTINCT origin FROM '${file}' ORDER BY origin`)).map(
      ([origin]) => origin,
    );
    expect(
      Object.values(flightRegions)
        .flatMap((airports) => airports.split(' '))
        .sort(),
    ).toEqual(origins);
    expect(origins).toHaveLength(229);
  });

  it('are cut by the longitude of airports.csv, which knows every origin', async () => {
    const rows = await query(
      `SELECT f.origin, a.longitude FROM (SELECT DISTINCT origin FROM '${file}') f LEFT JOIN read_csv('${join(file, '..', 'airports.csv')}') a ON a.iata = f.origin`,
    );
    const regionOf = (longitude: number): FlightSourceId =>
      longitude < -114.5 ? 'west' : longitude < -102 ? 'mountain' : longitude < -86 ? 'central' : 'east';
    for (const [origin, longitude] of rows as [string, number | null][]) {
      expect(longitude, `${origin} must be placed by hand`).not.toBeNull();
      expect(flightRegions[regionOf(longitude as number)].split(' '), origin).toContain(origin);
    }
  });

  it('name the four sources', () => {
    expect(Object.keys(flightsHistory().sources)).toEqual(sourceIds);
  });
});

describe('the flights', () => {
  let oracle: FlightsOracle;
  let history: WholeHistory;
  beforeAll(async () => {
    oracle = await FlightsOracle.open();
    history = openParquetSource(flightsHistory());
  });
  afterAll(async () => {
    await history?.close();
    oracle?.close();
  });

  /** Buckets of what `read` gives: a third reckoning, with Node's MD5. */
  async function bucketsRead(
    source: Pick<WholeHistory, 'read'>,
    window: { from: number; to: number },
  ): Promise<OracleBucket[]> {
    const buckets = new Map<
      string,
      {
        sourceId: string;
        key: string;
        start: number;
        count: number;
        sum: bigint;
        min: number;
        max: number;
        hash: bigint;
      }
    >();
    for (const sourceId of sourceIds) {
      for await (const { events } of source.read({
        sourceId,
        range: window,
        after: null,
        maxEvents: 2000,
        signal: never,
      })) {
        for (const { id, key, at, value } of events) {
          const start = Math.floor(at / flightsPipeline.bucketMs) * flightsPipeline.bucketMs;
          const place = `${sourceId} ${String(start).padStart(16, '0')} ${key}`;
          const bucket = buckets.get(place) ?? {
            sourceId,
            key,
            start,
            count: 0,
            sum: 0n,
            min: value,
            max: value,
            hash: 0n,
          };
          bucket.count++;
          bucket.sum += BigInt(value);
          bucket.min = Math.min(bucket.min, value);
          bucket.max = Math.max(bucket.max, value);
          bucket.hash = BigInt.asUintN(
            64,
            bucket.hash + createHash('md5').update(`${id}\u001f${value}`).digest().readBigUInt64BE(8),
          );
          buckets.set(place, bucket);
        }
      }
    }
    return [...buckets.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, bucket]) => ({ ...bucket, sum: String(bucket.sum), hash: String(bucket.hash) }));
  }

  it('are in January what the oracle says, bucket by bucket', async () => {
    const [read, truth] = [await bucketsRead(history, flightsJanuary), await oracle.buckets(flightsJanuary)];
    expect(truth.length).toBeGreaterThan(70_000);
    expect(read).toEqual(truth);
    expect(await oracle.counts(flightsJanuary)).toEqual({
      west: 101_285,
      mountain: 43_570,
      central: 158_536,
      east: 204_848,
    });
  });

  it('are where two laps meet what the oracle says', async () => {
    const end = flightsPipeline.repeat.from + 2 * spanMs;
    const window = { from: end - 7_200_000, to: end + 8 * 3_600_000 };
    const read = await bucketsRead(repeatHistory(history, flightsPipeline.repeat), window);
    expect(read).toEqual(await oracle.buckets(window));
    // The six flights of 1 July, in the first hour of the lap after theirs.
    expect(
      read.filter(({ start }) => start === end).reduce((sum, { count }) => sum + count, 0),
    ).toBeGreaterThanOrEqual(6);
  });

  it('are counted as the oracle counts them', async () => {
    const { counts, from, stepMs } = await history.count(60_000);
    const inJanuary = (step: number) =>
      from + step * stepMs >= flightsJanuary.from && from + step * stepMs < flightsJanuary.to;
    const january = Object.fromEntries(
      Object.entries(counts).map(([id, list]) => [
        id,
        list.filter((_, step) => inJanuary(step)).reduce((sum, count) => sum + count, 0),
      ]),
    );
    expect(january).toEqual(await oracle.counts(flightsJanuary));
    const total = Object.values(counts).reduce(
      (sum, list) => sum + list.reduce((part, count) => part + count, 0),
      0,
    );
    expect(total).toBe(3_000_000);
  });

  it('of a file too large to be scanned are estimated from its statistics and a sample: the rows are all there, whose is nearly right', async () => {
    const exact = await openParquetSource(flightsHistory()).count(60_000);
    const large = openParquetSource({ ...flightsHistory(), exactRowsMax: 1_000_000 });
    const estimate = await large.count(60_000);
    await large.close();
    expect([exact.estimated, estimate.estimated]).toEqual([false, true]);
    const sum = (list: Uint32Array | undefined) =>
      list?.reduce((total, count) => total + count, 0) ?? Number.NaN;
    let total = 0;
    for (const [id, list] of Object.entries(estimate.counts)) {
      total += sum(list);
      expect(sum(list) / sum(exact.counts[id])).toBeGreaterThan(0.97);
      expect(sum(list) / sum(exact.counts[id])).toBeLessThan(1.03);
    }
    // Each source of each group that was not counted is rounded to whole events.
    expect(Math.abs(total - 3_000_000)).toBeLessThan(100);
  });

  it('play as live traffic in the order of the file, into the next lap, and go on where they stopped', async () => {
    const play = (after: string | null) =>
      readForward(history, { from: Date.UTC(2001, 5, 30, 23), spanMs, after, maxEvents: 500, signal: never });
    const ids: string[] = [];
    const cursors: string[] = [];
    const sizes = new Map<string, number>();
    let last = Number.NEGATIVE_INFINITY;
    for await (const { events, cursor } of play(null)) {
      for (const { id, at } of events) {
        expect(at).toBeGreaterThanOrEqual(last - 60_000);
        last = Math.max(last, at);
        ids.push(id);
      }
      cursors.push(cursor);
      sizes.set(cursor, events.length);
      if (ids.length > 3000) break;
    }
    const first = Number((ids[0] as string).split('#')[1]);
    const expected = Array.from(ids, (_, index) =>
      first + index < 3_000_000
        ? `flights-3m.parquet#${first + index}`
        : `flights-3m.parquet#${first + index - 3_000_000}@1`,
    );
    expect(ids).toEqual(expected);
    expect(ids.at(-1)).toMatch(/@1$/);
    for (const after of cursors.slice(0, -1)) {
      for await (const { events } of play(after)) {
        const start = cursors
          .slice(0, cursors.indexOf(after) + 1)
          .reduce((sum, cursor) => sum + (sizes.get(cursor) ?? 0), 0);
        expect(events.map(({ id }) => id).slice(0, ids.length - start)).toEqual(
          ids.slice(start, start + events.length),
        );
        break;
      }
    }
  });

  it('never keep the process waiting while they are read', async () => {
    // In this thread's processor time: a busy machine makes any thread wait, which is not the reader's doing.
    const busyMs = () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    };
    let longest = 0;
    let turns = 0;
    let last = busyMs();
    const timer = setInterval(() => {
      const now = busyMs();
      longest = Math.max(longest, now - last);
      last = now;
      turns++;
    }, 1);
    const fresh = openParquetSource(flightsHistory());
    try {
      await Promise.all(
        sourceIds.map(async (sourceId) => {
          let events = 0;
          for await (const batch of fresh.read({
            sourceId,
            range: flightsJanuary,
            after: null,
            maxEvents: 500,
            signal: never,
          }))
            events += batch.events.length;
          expect(events).toBeGreaterThan(40_000);
        }),
      );
      console.log(`longest turn of the event loop: ${longest.toFixed(1)} ms of processor time`);
    } finally {
      clearInterval(timer);
      await fresh.close();
    }
    expect(turns).toBeGreaterThan(10);
    // A pause has to take effect within 250 ms, and other work waits for the same loop.
    expect(longest).toBeLessThan(100);
  });
});
