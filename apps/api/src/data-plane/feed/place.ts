/**
 * How far the live feed is, and what it left out on the way. Stored with the events it publishes, in one transaction of the stream.
 *
 * Invariant: every event before `cursor` has been published, or lies in an outage of its source that is kept here or that the control
 * plane has recorded in full. A killed feed goes on from what it stored last, so this holds after any kill.
 */
export interface FeedPlace {
  /** Of the last batch played; null: where live begins. */
  readonly cursor: string | null;
  /** The latest event time played, left out or not; null before the first event. */
  readonly reached: number | null;
  readonly outages: readonly OutageSoFar[];
}

/** Every event that was left out for it has `from <= at < to`. */
export interface OutageSoFar {
  readonly outageId: string;
  readonly sourceId: string;
  readonly from: number;
  /** Equal to `from` while nothing has been left out. */
  readonly to: number;
  /** Nothing more will be left out for it. */
  readonly ended: boolean;
}

export function storedPlace(producerState: string | null): FeedPlace {
  // Before outages were kept, the state was the cursor alone.
  if (producerState === null || !producerState.startsWith('{'))
    return { cursor: producerState, reached: null, outages: [] };
  return JSON.parse(producerState) as FeedPlace;
}

export function placeToStore(place: FeedPlace): string {
  return JSON.stringify(place);
}
