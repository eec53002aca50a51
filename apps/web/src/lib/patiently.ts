const firstPauseMs = 500;
const longestPauseMs = 10_000;

/** What fetches a part of the page, asked again with growing pauses for as long as it cannot be fetched: the api may be restarting just then. */
export async function patiently<T>(
  fetchPart: () => Promise<T>,
  after: (delayMs: number) => Promise<void> = (delayMs) =>
    new Promise((resolve) => setTimeout(resolve, delayMs)),
): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await fetchPart();
    } catch {
      await after(pauseMs);
    }
  }
}
