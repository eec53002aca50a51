/**
 * One event, as history holds it and as the live stream carries it.
 *
 * The measure is an exact integer: sums and hashes must not depend on the order of addition, so a source
 * quarantines a row whose measure is not a safe integer instead of rounding it.
 */
export interface PipelineEvent {
  /** Unique within the pipeline's de-duplication horizon, e.g. `flights-3m.parquet#1234567` or, in lap 2, `flights-3m.parquet#1234567@2`. */
  readonly id: string;
  readonly sourceId: string;
  /** The aggregation key: for the flights, the airport of origin. */
  readonly key: string;
  /** Event time, epoch milliseconds UTC. */
  readonly at: number;
  /** The measure, a safe integer: for the flights, minutes of delay. */
  readonly value: number;
}

/** An event that cannot be applied, kept where an operator can see it. `address` leads back to the row. */
export interface QuarantinedEvent {
  readonly sourceId: string;
  /** Where the row is: `flights-3m.parquet row 1234567`, `events.jsonl line 12`, or the event id. */
  readonly address: string;
  readonly code: 'payload_mismatch' | 'unparsable' | 'value_out_of_range' | 'missing_field';
  readonly detail: string;
}
