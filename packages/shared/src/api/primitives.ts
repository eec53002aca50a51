import { type Static, type TSchema, Type } from 'typebox';

/** Unknown fields are refused everywhere: a misspelt limit must not silently be no limit. */
export const strict = { additionalProperties: false } as const;

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** RFC 3339 UTC, e.g. `2001-01-01T00:00:00Z` (milliseconds allowed). */
export const Timestamp = Type.String({
  format: 'date-time',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z$',
  description: 'RFC 3339, UTC',
});

/** ISO 8601 duration of fixed length (weeks, days, hours, minutes, seconds). */
export const Duration = Type.String({
  pattern: '^P(?!$)(\\d+W)?(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+(\\.\\d{1,3})?S)?)?$',
  maxLength: 40,
  description: 'ISO 8601 duration, e.g. PT1H',
});

export const Id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$' });

/** Of a pipeline that may have been removed since: then it is `orders~7` (pipeline/removed-id.ts). */
export const PastPipelineId = Type.String({
  minLength: 1,
  maxLength: 80,
  pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*(~[0-9]+)?$',
  description: 'of one that has been removed `{id}~{revision}`',
});

/** Money never meets a float: a decimal string and its currency. */
export const Money = Type.Object(
  {
    amount: Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,12})?$', description: 'decimal string' }),
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
  },
  strict,
);
export type Money = Static<typeof Money>;

/** Half-open event-time window `[from, to)`. */
export const Window = Type.Object({ from: Timestamp, to: Timestamp }, strict);
export type Window = Static<typeof Window>;

export const Count = Type.Integer({ minimum: 0 });

/** Events: low ≤ likely ≤ high. */
export const EventRange = Type.Object({ low: Count, likely: Count, high: Count }, strict);

/** Events per second an operator may ask for. 0 stops; the upper bound catches slips of the keyboard. */
export const Rate = Type.Number({ minimum: 0, maximum: 10_000_000 });

/** A share of the pipeline's capacity. */
export const Share = Type.Number({ minimum: 0, maximum: 1 });

export const Page = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), nextCursor: Nullable(Type.String()) }, strict);

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
};

/**
 * What an operator accepted of a stream, where it is so. `retention`: it is dropped from by size, or nobody says how long entries are kept.
 * `untrimmed`: what is applied is not removed.
 */
export const AcceptedDangers = Type.Array(Type.Enum(['retention', 'untrimmed']), { maxItems: 2 });
export type AcceptedDangers = Static<typeof AcceptedDangers>;
