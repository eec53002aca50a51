import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import type { Span } from '../model/brush.ts';
import { searchOfWindow } from '../model/new-backfill-search.ts';

/** The window that was chosen stands in the address, in place of the one before: one step back leaves the screen. */
export function useWindowInAddress(window: Span | null): void {
  const navigate = useNavigate({ from: '/backfills/new' });
  useEffect(() => {
    if (window === null) return;
    void navigate({
      search: (before) => ({ ...before, ...searchOfWindow(window) }),
      replace: true,
      resetScroll: false,
    });
  }, [navigate, window]);
}
