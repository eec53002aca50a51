import type { Backfill } from '@spillway/shared/api/backfill';
import { allowedVerbs, type BackfillState } from '@spillway/shared/backfill/state-machine';
import { QueryClient } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import { backfillKeys } from '../../src/features/backfill/api/keys.ts';
import { BackfillInbox } from '../../src/features/backfill/model/backfill-inbox.ts';
import { newer, newerItems } from '../../src/features/backfill/model/newer.ts';
import { asPausing, notPausing } from '../../src/features/backfill/model/pause-asked.ts';

const sight = (state: BackfillState, revision: number, id = 'bf_1') =>
  ({ id, state, revision, allowedActions: allowedVerbs({ state, holds: [] }, true) }) as Backfill;

describe('of two sights of a backfill', () => {
  it.each([
    // A command came in between.
    { before: sight('pausing', 2), received: sight('running', 1), shown: 'pausing' },
    { before: sight('paused', 2), received: sight('running', 3), shown: 'running' },
    { before: sight('failed', 2), received: sight('queued', 3), shown: 'queued' },
    // None did: what the workers have done is done.
    { before: sight('paused', 2), received: sight('pausing', 2), shown: 'paused' },
    { before: sight('pausing', 2), received: sight('paused', 2), shown: 'paused' },
    { before: sight('running', 1), received: sight('queued', 1), shown: 'running' },
    { before: sight('completed', 1), received: sight('verifying', 1), shown: 'completed' },
    { before: sight('cancelled', 4), received: sight('cancelling', 4), shown: 'cancelled' },
  ])(
    '$before.state of revision $before.revision, then $received.state of $received.revision: $shown',
    ({ before, received, shown }) => {
      expect(newer(before, received).state).toBe(shown);
    },
  );

  it('the second is shown where they are of one state: its progress may have moved', () => {
    const received = sight('running', 1);
    expect(newer(sight('running', 1), received)).toBe(received);
  });

  it('the rows of a list are those of the answer, each by its later sight', () => {
    const before = [sight('paused', 2, 'bf_1'), sight('running', 1, 'bf_2')];
    const received = [sight('running', 1, 'bf_3'), sight('running', 1, 'bf_1')];
    expect(newerItems(before, received).map(({ id, state }) => [id, state])).toEqual([
      ['bf_3', 'running'],
      ['bf_1', 'paused'],
    ]);
  });
});

describe('a pause that is asked for', () => {
  const asked = asPausing(sight('running', 1));

  it('is not taken back by an event that was sent before it', () => {
    const queryClient = new QueryClient();
    const inbox = new BackfillInbox(queryClient);
    const shown: (string | undefined)[] = [];
    const look = () => {
      inbox.flush();
      shown.push(queryClient.getQueryData<Backfill>(backfillKeys.one('bf_1'))?.state);
      shown.push(queryClient.getQueryData<{ items: Backfill[] }>(backfillKeys.list({}))?.items[0]?.state);
    };
    queryClient.setQueryData(backfillKeys.one('bf_1'), asked);
    queryClient.setQueryData(backfillKeys.list({}), { items: [asked], nextCursor: null, total: 1 });
    for (const told of [
      sight('running', 1),
      sight('pausing', 2),
      sight('running', 1),
      sight('paused', 2),
      sight('pausing', 2),
    ]) {
      inbox.receive(told);
      look();
    }
    expect(shown).toEqual([
      ...['pausing', 'pausing', 'pausing', 'pausing', 'pausing', 'pausing'],
      ...['paused', 'paused', 'paused', 'paused'],
    ]);
  });

  it('gives way to what it has become by itself meanwhile', () => {
    expect(newer(asked, sight('verifying', 1)).state).toBe('verifying');
    expect(newer(asked, sight('completed', 1)).state).toBe('completed');
  });

  it('is taken back where it is refused, unless somebody else’s was taken', () => {
    expect(notPausing(asked).state).toBe('running');
    expect(notPausing(sight('pausing', 2)).state).toBe('pausing');
    expect(notPausing(sight('paused', 2)).state).toBe('paused');
  });

  it('is asked of what runs alone', () => {
    expect(asPausing(sight('verifying', 1)).state).toBe('verifying');
  });
});
