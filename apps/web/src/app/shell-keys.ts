import { useNavigate } from '@tanstack/react-router';
import { undoLatest } from '../components/undo-toast.tsx';
import { useNowSearch } from '../features/now/components/use-now-search.ts';
import { useHotkeys } from '../lib/use-hotkeys.ts';

/** The keys of every screen. Nothing is drawn. */
export function ShellKeys({
  onHelp,
  onPalette,
}: {
  readonly onHelp: () => void;
  readonly onPalette: () => void;
}): null {
  const navigate = useNavigate();
  const nowSearch = useNowSearch();
  useHotkeys(
    ['g n', 'g b', 'g p', 'g s', 'g c', 'g r', 'g a', 'g ,', '/', '?', 'j', 'k', 'u', 'mod+k'],
    (name) => {
      if (name === 'g n') void navigate({ to: '/', search: nowSearch });
      else if (name === 'g b') void navigate({ to: '/backfills' });
      else if (name === 'g p') void navigate({ to: '/pipeline' });
      else if (name === 'g s') void navigate({ to: '/streams' });
      else if (name === 'g c') void navigate({ to: '/cost' });
      else if (name === 'g r') void navigate({ to: '/readiness' });
      else if (name === 'g a') void navigate({ to: '/audit' });
      else if (name === 'g ,') void navigate({ to: '/settings' });
      else if (name === '/') findOrFilter(onPalette);
      else if (name === 'mod+k') onPalette();
      else if (name === '?') onHelp();
      else if (name === 'u') undoLatest();
      else moveThroughRows(name === 'j' ? 1 : -1);
    },
  );
  return null;
}

/** Where one types what is looked for: the screen's own field where it has one, the palette elsewhere. */
function findOrFilter(find: () => void): void {
  const filter = document.querySelector<HTMLElement>('[data-screen-filter] input');
  if (filter === null) find();
  else filter.focus();
}

function moveThroughRows(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row-link]')];
  if (rows.length === 0) return;
  const current = rows.findIndex(
    (row) =>
      row === document.activeElement || row.closest('[data-backfill-id]')?.contains(document.activeElement),
  );
  const next =
    current === -1
      ? step === 1
        ? 0
        : rows.length - 1
      : Math.min(Math.max(current + step, 0), rows.length - 1);
  rows[next]?.focus();
}
