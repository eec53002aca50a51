import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/supervise/embedded-postgres/turns.ts';

const turn = (connection: number, text = '') => ({ connection, group: Buffer.from(text) });

describe('turns at the engine', () => {
  it('go in order of arrival', () => {
    const turns = new Turns();
    turns.arrive(turn(2));
    turns.arrive(turn(1));
    expect([turns.next()?.connection, turns.next()?.connection, turns.next()]).toEqual([2, 1, null]);
  });

  it('stay with a connection in a transaction until it has ended it', () => {
    const turns = new Turns();
    turns.arrive(turn(1, 'begin'));
    turns.arrive(turn(2, 'select'));
    turns.next();
    turns.finish(1, true);
    expect(turns.next()).toBeNull();
    expect(turns.blocksOthers).toBe(true);
    turns.arrive(turn(1, 'commit'));
    expect(turns.next()?.group.toString()).toBe('commit');
    turns.finish(1, false);
    expect(turns.next()?.connection).toBe(2);
  });

  it('pass on when the owner is gone, and say that its transaction is left', () => {
    const turns = new Turns();
    turns.arrive(turn(1));
    turns.next();
    turns.finish(1, true);
    turns.arrive(turn(1));
    turns.arrive(turn(2));
    expect(turns.leave(2)).toBe(false);
    turns.arrive(turn(3));
    expect(turns.leave(1)).toBe(true);
    expect(turns.next()?.connection).toBe(3);
    expect(turns.next()).toBeNull();
  });
});
