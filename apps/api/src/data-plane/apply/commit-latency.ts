/**
 * What a commit takes besides its rows, ms: whether a slow one is slow by its rows or by the store cannot be told without it.
 *
 * Live's commits are small and show it at most: it follows them by a tenth. Replay's own commits show it as soon as two sizes of them have
 * been seen, also before there has been one of live (a pipeline that is filled before it is connected):
 *
 *     rowMs    = (quickest of the larger half - quickest of the smaller half) / (their difference in rows)
 *     latency  = quickest of the smaller half - its rows · rowMs
 *
 * The quickest, because whatever disturbs a commit makes it longer. What is known stays while all commits have one size. Of both the less:
 * where live's rows are dear, too, its commits take as long as their rows, and would pass dear rows of replay off as a slow store.
 */
const FOLLOWED_PART = 0.1;
const REMEMBERED = 16;
/** Sizes that lie nearer to each other differ by noise. */
const SIZES_APART = 1.5;

interface Commit {
  readonly rows: number;
  readonly commitMs: number;
}

export class CommitLatency {
  #liveMs: number | null = null;
  #replayMs: number | null = null;
  #commits: readonly Commit[] = [];

  /** Null: nothing shows it yet. */
  get ms(): number | null {
    if (this.#liveMs === null || this.#replayMs === null) return this.#liveMs ?? this.#replayMs;
    return Math.min(this.#liveMs, this.#replayMs);
  }

  live(commitMs: number): void {
    this.#liveMs =
      this.#liveMs === null ? commitMs : this.#liveMs + (commitMs - this.#liveMs) * FOLLOWED_PART;
  }

  replay(commit: Commit): void {
    if (commit.rows === 0) return;
    this.#commits = [...this.#commits, commit].slice(-REMEMBERED);
    this.#replayMs = latencyOf(this.#commits) ?? this.#replayMs;
  }
}

function latencyOf(commits: readonly Commit[]): number | null {
  const bySize = commits.toSorted((a, b) => a.rows - b.rows);
  const most = bySize.at(-1)?.rows ?? 0;
  const smaller = bySize.filter(({ rows }) => rows * SIZES_APART <= most);
  const small = quickest(smaller);
  const large = quickest(bySize.slice(smaller.length));
  if (small === undefined || large === undefined) return null;
  const rowMs = Math.max(0, (large.commitMs - small.commitMs) / (large.rows - small.rows));
  return Math.max(0, small.commitMs - rowMs * small.rows);
}

function quickest(commits: readonly Commit[]): Commit | undefined {
  return commits.toSorted((a, b) => a.commitMs - b.commitMs)[0];
}
