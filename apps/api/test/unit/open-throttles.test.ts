import { beforeEach, describe, expect, test } from 'vitest';
import { OpenThrottles } from '../../src/control-plane/governor/open-throttles.ts';

let throttles: OpenThrottles;

beforeEach(() => {
  throttles = new OpenThrottles();
});

/** A pass that had read the limits of `commandIds`; the sequences of the grants after it, by lease. */
const pass = (commandIds: readonly string[], sequences: Record<string, number>, backfillId = 'bf') =>
  throttles.granted(backfillId, new Set(commandIds), new Map(Object.entries(sequences)));

describe('a throttle is in effect', () => {
  test('when every lease has reported the grant that followed', () => {
    throttles.open('cm_1', 'bf');
    throttles.acknowledge('ls_1', 99);
    expect(throttles.settled()).toEqual([]);
    pass(['cm_1'], { ls_1: 7, ls_2: 8 });
    throttles.acknowledge('ls_1', 6);
    throttles.acknowledge('ls_2', 8);
    expect(throttles.settled()).toEqual([]);
    throttles.acknowledge('ls_1', 9);
    expect(throttles.settled()).toEqual(['cm_1']);
  });

  test('also when a lease that should report it is gone', () => {
    throttles.open('cm_1', 'bf');
    pass(['cm_1'], { ls_1: 7, ls_2: 8 });
    throttles.gone('ls_1');
    throttles.acknowledge('ls_2', 8);
    expect(throttles.settled()).toEqual(['cm_1']);
  });

  test('not by the grants of a pass that had read the limits before it came, though an earlier one waits for them', () => {
    throttles.open('cm_1', 'bf');
    const read = [...throttles.commands()];
    throttles.open('cm_2', 'bf');
    pass(read, { ls_1: 7 });
    throttles.acknowledge('ls_1', 7);
    expect(throttles.settled()).toEqual(['cm_1']);
    throttles.close(['cm_1']);
    pass([...throttles.commands()], { ls_1: 8 });
    expect(throttles.settled()).toEqual([]);
    throttles.acknowledge('ls_1', 8);
    expect(throttles.settled()).toEqual(['cm_2']);
  });

  test('by its own backfill’s leases alone, and a later pass puts nothing off', () => {
    throttles.open('cm_1', 'bf');
    pass(['cm_1'], { ls_9: 1 }, 'other');
    pass(['cm_1'], { ls_1: 7 });
    pass(['cm_1'], { ls_1: 70 });
    throttles.acknowledge('ls_1', 7);
    expect(throttles.settled()).toEqual(['cm_1']);
  });

  test('at once when no lease is left to report it', () => {
    throttles.open('cm_1', 'bf');
    pass(['cm_1'], {});
    expect(throttles.settled()).toEqual(['cm_1']);
  });
});

test('what is settled stays open until its receipt is written, and opening it again changes nothing', () => {
  throttles.open('cm_1', 'bf');
  pass(['cm_1'], {});
  throttles.open('cm_1', 'bf');
  expect(throttles.settled()).toEqual(['cm_1']);
  throttles.close(['cm_1']);
  expect(throttles.settled()).toEqual([]);
  expect(throttles.commands()).toEqual(new Set());
  expect(throttles.backfills()).toEqual(new Set());
});
