import type { Backfill } from '@spillway/shared/api/backfill';
import { useQueries } from '@tanstack/react-query';
import { type FocusEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { backfillQuery } from '../api/get-backfill.ts';
import { goneIds, heldRows } from '../model/row-hold.ts';

interface Hold {
  readonly list: string;
  readonly rows: readonly Backfill[];
}

/**
 * Rows that do not move while the pointer or the focus is among them; what they say goes on. `area` is spread on what is around them.
 * `list`: which list it is; another one is shown at once. Null: nothing is held.
 *
 * A focus that a mouse has left behind holds nothing, nor does a finger, which is over nothing once it is lifted: a list that
 * is kept up to date again only after a click elsewhere would be believed to be.
 */
export function useRowHold(backfills: readonly Backfill[], list: string | null) {
  const around = useRef<HTMLDivElement>(null);
  const [pointed, setPointed] = useState<Hold | null>(null);
  const [focused, setFocused] = useState<Hold | null>(null);
  const hold = [pointed, focused].find((each) => each !== null && each.list === list) ?? null;
  const gone = useQueries({
    queries: hold === null ? [] : goneIds(hold.rows, backfills).map(backfillQuery),
    combine: (found) => found.flatMap(({ data }) => data ?? []),
  });
  const rows = hold === null ? backfills : heldRows(hold.rows, backfills, gone);
  // What goes away under the pointer tells nobody that the pointer has left: where it moves is looked at as well.
  useEffect(() => {
    if (pointed === null) return;
    const look = ({ target }: Event) => {
      if (around.current?.contains(target as Node) !== true) setPointed(null);
    };
    document.addEventListener('pointermove', look);
    return () => document.removeEventListener('pointermove', look);
  }, [pointed]);
  // A button that goes away with the focus on it tells nobody.
  useEffect(() => {
    if (focused !== null && around.current?.contains(document.activeElement) !== true) setFocused(null);
  });
  const taken = list === null ? null : { list, rows };
  return {
    rows,
    area: {
      ref: around,
      onPointerEnter: ({ pointerType }: PointerEvent) => {
        if (pointerType === 'mouse') setPointed(taken);
      },
      onPointerLeave: () => setPointed(null),
      onFocus: ({ target }: FocusEvent<HTMLElement>) =>
        setFocused((before) => (target.matches(':focus-visible') ? (before ?? taken) : null)),
      onBlur: ({ currentTarget, relatedTarget }: FocusEvent<HTMLElement>) => {
        if (!currentTarget.contains(relatedTarget)) setFocused(null);
      },
    },
  };
}
