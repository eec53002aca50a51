const unansweredMs = 30_000;

interface Asked {
  readonly state: { readonly data: unknown; readonly errorUpdateCount: number };
}

/**
 * For `refetchInterval`: asked again every so many ms; seldom where it has failed and there has never been an answer, since each try shows the
 * skeleton of what is loading in the place of why it failed, and moves what stands below.
 */
export function every(ms: number): (query: Asked) => number {
  return ({ state }) => (state.data === undefined && state.errorUpdateCount > 0 ? unansweredMs : ms);
}
