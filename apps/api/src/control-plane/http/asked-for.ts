/** So long a question for metrics may wait for the database. */
const LIMIT_MS = 1_000;

/**
 * Rows for metrics that are made when they are asked for: one reading serves all who ask meanwhile, and is none while the database fails or
 * does not answer. The other metrics matter most then.
 */
export function askedFor<T>(read: () => PromiseLike<readonly T[]>): () => Promise<readonly T[]> {
  let reading: Promise<readonly T[]> | null = null;
  return async () => {
    reading ??= Promise.resolve(read())
      .catch(() => [])
      .finally(() => {
        reading = null;
      });
    const { promise: late, resolve } = Promise.withResolvers<readonly T[]>();
    const timer = setTimeout(() => resolve([]), LIMIT_MS);
    try {
      return await Promise.race([reading, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
