/**
 * One run to learn from, then ten windows nobody has asked for before, of other lengths and places and at other rates: all quoted after that one run
 * alone, then replayed, each held against its quote. Everything but the clock follows from the seed.
 */
import type { MoneyRange } from '@spillway/shared/api/cost';
import type { Quote } from '@spillway/shared/api/quote';
import { pricePresets } from '@spillway/shared/cost/presets';
import { FlightsOracle } from '../../apps/api/test/oracle/flights-oracle.ts';
import { chance } from '../../apps/api/test/system/chance.ts';
import { configurePipeline, readPipeline } from '../../apps/api/test/system/pipelines.ts';
import { type Figure, figure } from '../figures.ts';
import { quietSystem } from '../flights.ts';
import { lap } from '../measured-replay.ts';
import { measured } from '../quick.ts';
import {
  type Asked,
  amountOf,
  type EndedRun,
  handledOf,
  quantityOf,
  quoteBackfill,
  runToEnd,
} from '../quoted-run.ts';

const SEED = 20_261_126;
const WINDOWS = measured(10, 2);
const RATES = [3_000, 5_000, 8_000];
const minute = 60_000;
const hour = 60 * minute;
const LAP_HOURS = 181 * 24;
const HOURS_MIN = 6;
const HOURS_MAX = 4 * 24;
/** Of the windows, one that cuts minutes, of which there are no counts. */
const CUT_EVERY = 5;

export async function calibrationArm(): Promise<Figure[]> {
  const system = await quietSystem();
  const oracle = await FlightsOracle.open();
  try {
    await configurePipeline(system, { priceBook: pricePresets['example-cloud'] });
    await runToEnd(system, {
      window: { from: '2001-02-05T00:00:00Z', to: '2001-02-08T00:00:00Z' },
      limits: { eventsPerSecond: 5_000 },
    });
    const runs: (Compared & { readonly capacity: number | null })[] = [];
    const quoted: { readonly asked: Asked; readonly quote: Quote }[] = [];
    for (const asked of windowsOf(SEED)) quoted.push({ asked, quote: await quoteBackfill(system, asked) });
    for (const { asked, quote } of quoted) {
      const { capacity } = await readPipeline(system);
      // Not by the quote: it has long run out when its turn comes.
      const ended = await runToEnd(system, asked);
      const truth = await oracle.counts({
        from: Date.parse(asked.window.from),
        to: Date.parse(asked.window.to),
      });
      runs.push({
        ...compared(asked, quote, ended, sumOf(Object.values(truth))),
        capacity: capacity.eventsPerSecond,
      });
    }
    return figuresOf(runs);
  } finally {
    oracle.close();
    await system.remove();
  }
}

/** Each in a lap of its own, so that no event is in the store before. */
function windowsOf(seed: number): Asked[] {
  const { below } = chance(seed);
  return Array.from({ length: WINDOWS }, (_, index) => {
    const hours = HOURS_MIN + below(HOURS_MAX - HOURS_MIN + 1);
    const cutMs = index % CUT_EVERY === CUT_EVERY - 1 ? (1 + below(59)) * 1_000 : 0;
    const from = Date.parse(lap(index + 1).from) + below(LAP_HOURS - hours - 1) * hour + cutMs;
    return {
      window: { from: new Date(from).toISOString(), to: new Date(from + hours * hour).toISOString() },
      limits: { eventsPerSecond: RATES[below(RATES.length)] as number },
    };
  });
}

interface Compared {
  readonly asked: Asked;
  readonly events: {
    readonly quoted: Quote['events'];
    readonly actual: number;
    readonly oracle: number;
  };
  readonly cost: ReturnType<typeof against>;
  readonly duration: ReturnType<typeof against> & Pick<EndedRun, 'replayedSeconds' | 'lost'>;
  /** actual ÷ estimate. */
  readonly items: Record<string, number | null>;
  readonly ranges: Record<string, unknown>;
  /** By item: it came out within its own low..high; what is free is left out. */
  readonly inside: Record<string, boolean>;
  readonly quantities: Record<string, number>;
}

function compared(
  asked: Asked,
  quote: Quote,
  { backfill, metered, seconds, replayedSeconds, lost }: EndedRun,
  oracle: number,
): Compared {
  if (quote.cost === null || quote.durationSeconds === null) throw new Error('the quote says nothing of it');
  return {
    asked,
    events: { quoted: quote.events, actual: handledOf(backfill), oracle },
    cost: against(numbersOf(quote.cost), amountOf(metered.total)),
    duration: { ...against(quote.durationSeconds, seconds), replayedSeconds, lost },
    items: Object.fromEntries((backfill.cost?.comparison ?? []).map(({ item, ratio }) => [item, ratio])),
    ranges: Object.fromEntries(
      quote.cost.items.map(({ item, low, total, high }) => [
        item,
        [low, high].map((edge) =>
          edge === null || total === null ? null : Math.round((100 * amountOf(edge)) / amountOf(total)) / 100,
        ),
      ]),
    ),
    inside: Object.fromEntries(
      quote.cost.items.flatMap(({ item, low, high }) => {
        const actual = metered.items.find((one) => one.item === item)?.total ?? null;
        if (low === null || high === null || actual === null || amountOf(high) === 0) return [];
        return [[item, amountOf(actual) >= amountOf(low) && amountOf(actual) <= amountOf(high)]];
      }),
    ),
    quantities: Object.fromEntries(
      metered.items.map(({ item }) => [item, quantityOf(metered, item) / handledOf(backfill)]),
    ),
  };
}

function against({ low, likely, high }: Record<keyof MoneyRange, number>, actual: number) {
  return { low, likely, high, actual, ratio: actual / likely, inside: actual >= low && actual <= high };
}

function numbersOf({ low, likely, high }: MoneyRange) {
  return { low: amountOf(low), likely: amountOf(likely), high: amountOf(high) };
}

const COST_OFF = 0.15;

function figuresOf(runs: readonly Compared[]): Figure[] {
  const of = `of ${runs.length}`;
  const count = (holds: (run: Compared) => boolean) => runs.filter(holds).length;
  const all = { atLeast: runs.length };
  const allButOne = { atLeast: runs.length - 1 };
  // By what was asked: a quote that is sure of nothing must not be left out.
  const counted = runs.filter(({ asked: { window } }) =>
    [window.from, window.to].every((at) => Date.parse(at) % minute === 0),
  );
  return [
    figure(
      'calibration: windows of counted minutes whose events are exactly those quoted, and the oracle’s',
      counted.filter(
        ({ events: { quoted, actual, oracle } }) =>
          quoted?.low === actual && quoted.high === actual && actual === oracle,
      ).length,
      `of ${counted.length}`,
      { atLeast: counted.length },
    ),
    figure(
      'calibration: windows whose events are inside the quoted range',
      count(
        ({ events: { quoted, actual } }) => quoted !== null && actual >= quoted.low && actual <= quoted.high,
      ),
      of,
      all,
    ),
    figure(
      'calibration: cost within 15 % of likely',
      count(({ cost }) => Math.abs(cost.ratio - 1) <= COST_OFF),
      of,
      allButOne,
      runs.map(({ cost }) => cost.ratio),
    ),
    figure(
      'calibration: cost inside low..high',
      count(({ cost }) => cost.inside),
      of,
      all,
    ),
    figure(
      'calibration: duration inside its range',
      count(({ duration }) => duration.inside),
      of,
      allButOne,
      runs.map(({ duration }) => duration.ratio),
    ),
    ...itemFigures(runs),
    figure(
      'calibration: duration, furthest from likely',
      Math.max(...runs.map(({ duration }) => Math.abs(Math.log(duration.ratio)))),
      'ln',
      null,
      runs,
    ),
  ];
}

/** 95 in 100 are promised: of ten windows two outside of one item's range would be no great surprise, three would. */
const ITEMS_OUTSIDE = 2;

function itemFigures(runs: readonly Compared[]): Figure[] {
  const items = new Set(runs.flatMap(({ inside }) => Object.keys(inside)));
  return [...items].map((item) =>
    figure(
      `calibration: ${item} inside its own low..high`,
      runs.filter(({ inside }) => inside[item]).length,
      `of ${runs.length}`,
      { atLeast: runs.length - ITEMS_OUTSIDE },
      runs.map((run) => [run.items[item] ?? null, run.ranges[item] ?? null]),
    ),
  );
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
