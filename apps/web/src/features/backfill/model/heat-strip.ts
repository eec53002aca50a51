import type { SubwindowBins } from '@spillway/shared/api/backfill';

type Lane = SubwindowBins['lanes'][number];

/**
 * One path a lane and state, however many subwindows there are. A bin's height is shared bottom-up by what is done, active and
 * failed; what is left of it is pending. A failure is never thinner than a quarter of the lane: it must be seen.
 */
export function lanePaths(
  lane: Lane,
  width: number,
  height: number,
): { readonly done: string; readonly active: string; readonly failed: string } {
  const bins = lane.done.length;
  const binWidth = bins === 0 ? 0 : width / bins;
  const paths = { done: '', active: '', failed: '' };
  let run: { from: number; shape: readonly Piece[] } | null = null;

  const close = (to: number) => {
    if (run === null) return;
    const x = round(run.from * binWidth);
    const across = round((to - run.from) * binWidth);
    for (const { state, y, tall } of run.shape)
      paths[state] += `M${x} ${round(y)}h${across}v${round(tall)}h${-across}z`;
  };
  for (let bin = 0; bin < bins; bin += 1) {
    const shape = pieces(lane.done[bin] ?? 0, lane.active[bin] ?? 0, lane.failed[bin] ?? 0, height);
    if (run !== null && same(run.shape, shape)) continue;
    close(bin);
    run = { from: bin, shape };
  }
  close(bins);
  return paths;
}

interface Piece {
  readonly state: 'done' | 'active' | 'failed';
  readonly y: number;
  readonly tall: number;
}

function pieces(done: number, active: number, failed: number, height: number): Piece[] {
  const found: Piece[] = [];
  let bottom = height;
  const stack = (state: Piece['state'], share: number) => {
    if (share <= 0) return;
    const tall = Math.min(bottom, share * height);
    bottom -= tall;
    found.push({ state, y: bottom, tall });
  };
  stack('done', done);
  stack('active', active);
  if (failed > 0) {
    const tall = Math.max(failed, 0.25) * height;
    found.push({ state: 'failed', y: 0, tall });
  }
  return found;
}

function same(a: readonly Piece[], b: readonly Piece[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      (piece, index) =>
        piece.state === b[index]?.state && piece.y === b[index]?.y && piece.tall === b[index]?.tall,
    )
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Share of the lane's bins, 0 to 1. */
export function laneShare(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
