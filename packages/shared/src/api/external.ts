/**
 * A pipeline that is the user's own from the stream on: Spillway publishes, as CloudEvents 1.0, and watches their consumer groups. It has no
 * store there, so what was applied is the consumers' to know.
 */
import { type Static, Type } from 'typebox';
import { Count, Nullable, strict } from './primitives.ts';

/** What an event of history has. `at` is its time, `value` its measure. */
export const eventFields = ['id', 'sourceId', 'key', 'at', 'value'] as const;
export type EventField = (typeof eventFields)[number];

/** A field of the event, or the same text in each. */
const Mapped = Type.Union([
  Type.Object({ field: Type.Enum([...eventFields]) }, strict),
  Type.Object({ text: Type.String({ minLength: 1, maxLength: 200 }) }, strict),
]);
export type Mapped = Static<typeof Mapped>;

/** Which field of the event goes where. What is left out is as {@link defaultEnvelope} has it. */
export const EnvelopeMapping = Type.Object(
  {
    /** Always the event's own: it is what a consumer tells repetitions by. */
    id: Type.Optional(Type.Object({ field: Type.Literal('id') }, strict)),
    source: Type.Optional(Mapped),
    type: Type.Optional(Mapped),
    /** Null: none. */
    subject: Type.Optional(Nullable(Mapped)),
    time: Type.Optional(Type.Object({ field: Type.Literal('at') }, strict)),
    /** The members of `data`, by name. */
    data: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' }), Mapped, {
        ...strict,
        maxProperties: 20,
      }),
    ),
  },
  strict,
);
export type EnvelopeMapping = Static<typeof EnvelopeMapping>;

export type Envelope = Required<EnvelopeMapping>;
export const defaultEnvelope: Envelope = {
  id: { field: 'id' },
  source: { field: 'sourceId' },
  type: { text: 'spillway.event' },
  subject: { field: 'key' },
  time: { field: 'at' },
  data: { key: { field: 'key' }, value: { field: 'value' } },
};

export const externalDangers = ['eviction', 'persistence'] as const;

const GroupName = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\x00-\\x1f\\x7f]+$' });

/** As an admin writes it. */
export const ExternalDefinition = Type.Object(
  {
    url: Type.String({
      pattern: '^(redis|valkey|rediss|valkeys)://',
      maxLength: 2048,
      description:
        'redis://user:password@host:port/database, or rediss:// over TLS; kept as given, never answered with its credentials',
    }),
    /** Key of the stream. It must be there, with its groups: nothing is made on the user's server. */
    stream: Type.String({ minLength: 1, maxLength: 500, pattern: '^[^\\x00-\\x1f\\x7f]+$' }),
    /** The groups that have to have finished an entry before it counts as done. */
    groups: Type.Array(GroupName, { minItems: 1, maxItems: 16, uniqueItems: true }),
    /** The field of an entry that holds the CloudEvent. Default: `event`. */
    entryField: Type.Optional(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,63}$' })),
    envelope: Type.Optional(EnvelopeMapping),
    /** What of the server is accepted although entries may be lost by it. */
    accepts: Type.Optional(
      Type.Array(Type.Enum([...externalDangers]), { maxItems: externalDangers.length, uniqueItems: true }),
    ),
  },
  strict,
);
export type ExternalDefinition = Static<typeof ExternalDefinition>;

/** As it is shown, filled in and without credentials. */
export const ExternalView = Type.Object(
  {
    url: Type.String(),
    stream: Type.String(),
    groups: Type.Array(Type.String()),
    entryField: Type.String(),
    envelope: EnvelopeMapping,
    accepts: Type.Array(Type.Enum([...externalDangers])),
  },
  strict,
);

/** What a replay worker saw of an external pipeline's stream a moment ago. */
export const ExternalReport = Type.Object(
  {
    /** Its name here (`replayStream` of the pipeline), not the user's key. */
    stream: Type.String(),
    /** Entries there, the user's own among them; null: it could not be read. */
    length: Nullable(Count),
    /** Delivered and not acknowledged, or not delivered, in the group that has the most of them; null: the server cannot say. */
    lagEntries: Nullable(Count),
    lagMs: Nullable(Type.Number()),
    /** Everything up to and including it is finished by every watched group. */
    position: Nullable(Type.String()),
    /** Ever finished by the slowest group, as the server counts; null: it cannot say. */
    finishedEntries: Nullable(Count),
    /** Entries that were removed before a group had them; 0: none as far as can be told. */
    lostEntries: Count,
    /** It has been removed and made anew, or set back, since this worker last told: what was not finished is lost. Absent: it has not. */
    replaced: Type.Optional(Type.Boolean()),
    problem: Nullable(Type.Object({ code: Type.String(), detail: Type.String() }, strict)),
  },
  strict,
);
export type ExternalReport = Static<typeof ExternalReport>;

/** Why a backfill of an external pipeline is never proved. */
export const NOT_VERIFIABLE =
  'Not verifiable by Spillway: what the consumers of this pipeline made of the events is in a store of their own. Every subwindow was published, and every watched group has finished it.';
