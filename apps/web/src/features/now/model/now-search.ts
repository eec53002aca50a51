/** Where the way to Now leads, as its address says; what it does not name stays as it is. Undefined: without it. */
export interface NowSearch {
  readonly pipeline?: string | undefined;
  readonly at?: undefined;
}

/** To the pipeline that is at risk, as it is now; else to the one of the screen, if there is such a one. */
export function nowSearch({
  risk,
  ids,
  chosen,
}: {
  /** The pipeline whose live path is at risk; null: none. */
  readonly risk: string | null;
  readonly ids: readonly string[];
  /** That the address names. */
  readonly chosen: string | undefined;
}): NowSearch {
  if (risk !== null) return { pipeline: ids.length > 1 ? risk : undefined, at: undefined };
  // None are known while they are being asked for.
  const isKnown = chosen === undefined || ids.length === 0 || ids.includes(chosen);
  return isKnown ? {} : { pipeline: undefined };
}
