import { describe, expect, test } from 'vitest';
import { nicerWithReplay, type Standing } from '../../src/supervise/niceness.ts';

const refusal = (code: string) => Object.assign(new Error(code), { code });

/** A machine as the worker finds it. `rights`: to claim more than it claims now. */
class Machine implements Standing {
  niceness = 0;
  groupNiceness: number | null = 0;
  rights = true;
  busy = false;
  /** Of the process itself, in turn. */
  readonly set: number[] = [];
  own(): number {
    return this.niceness;
  }
  setOwn(niceness: number): void {
    if (niceness < this.niceness && !this.rights) throw refusal('EACCES');
    this.set.push(niceness);
    this.niceness = niceness;
  }
  group(): number | null {
    return this.groupNiceness;
  }
  setGroup(niceness: number): void {
    if (this.groupNiceness === null) throw refusal('ENOENT');
    if (this.busy) throw refusal('EAGAIN');
    this.groupNiceness = niceness;
  }
  get claims(): [own: number, group: number | null] {
    return [this.niceness, this.groupNiceness];
  }
}

function machine(facts: Partial<Machine> = {}): Machine {
  return Object.assign(new Machine(), facts);
}

describe('who applies', () => {
  test.each([
    ['live alone', ['live']],
    ['both', ['live', 'replay']],
    ['nothing yet', []],
  ] as const)('%s claims what it was begun with', (_, lanes) => {
    const here = machine({ niceness: 3, groupNiceness: 1 });
    nicerWithReplay(here)(lanes);
    expect(here.claims).toEqual([3, 1]);
  });

  test('replay alone is as nice as its reader, until it is given live', () => {
    const here = machine();
    const applies = nicerWithReplay(here);
    applies(['replay']);
    expect(here.claims).toEqual([8, 8]);
    applies(['live', 'replay']);
    expect(here.claims).toEqual([0, 0]);
  });

  test('replay alone and was begun nicer than that stays so', () => {
    const here = machine({ niceness: 12, groupNiceness: 10 });
    nicerWithReplay(here)(['replay']);
    expect(here.claims).toEqual([12, 10]);
  });
});

test('what it could not take back it does not give up: without rights only the group is nicer', () => {
  const here = machine({ rights: false });
  const applies = nicerWithReplay(here);
  applies(['replay']);
  expect(here.claims).toEqual([0, 8]);
  applies(['live']);
  expect(here.claims).toEqual([0, 0]);
});

test('without a group of its own, and without rights, nothing is changed', () => {
  const here = machine({ rights: false, groupNiceness: null });
  nicerWithReplay(here)(['replay']);
  expect(here.claims).toEqual([0, null]);
});

test('a group that takes nothing for the moment is told again with the next tick', () => {
  const here = machine({ busy: true });
  const applies = nicerWithReplay(here);
  applies(['replay']);
  expect(here.claims).toEqual([8, 0]);
  here.busy = false;
  applies(['replay']);
  expect(here.claims).toEqual([8, 8]);
});

test('nothing is set again while nothing changes', () => {
  const here = machine();
  const applies = nicerWithReplay(here);
  applies(['replay']);
  const set = here.set.length;
  for (let tick = 0; tick < 10; tick++) applies(['replay']);
  expect(here.set.length).toBe(set);
});
