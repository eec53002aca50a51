import { type Static, Type } from 'typebox';
import { Count, Id, Nullable, Page, strict, Timestamp } from './primitives.ts';
import { ApplyLane, workerTags } from './worker-protocol.ts';

export const roles = ['viewer', 'operator', 'admin', 'worker'] as const;
export type Role = (typeof roles)[number];

/** `POST /v1/session`: the one-time code of the ready line, exchanged for a cookie. */
export const SignIn = Type.Object({ code: Type.String({ minLength: 16, maxLength: 200 }) }, strict);
/** `GET /v1/session`. `csrfToken` goes into the `x-spillway-csrf` header of every mutation made with the cookie. */
export const Session = Type.Object(
  {
    actor: Type.String(),
    role: Type.Enum(['viewer', 'operator', 'admin']),
    csrfToken: Nullable(Type.String()),
    expiresAt: Nullable(Timestamp),
    /** Of the Spillway that answers. */
    version: Type.String(),
  },
  strict,
);
export type Session = Static<typeof Session>;

/** `POST /v1/sign-in-codes` (admin): a fresh code, for another browser or after the first one has expired. */
export const SignInCode = Type.Object({ code: Type.String(), expiresAt: Timestamp }, strict);

export const CreateToken = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    role: Type.Enum([...roles]),
    expiresInDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
  },
  strict,
);
export const Token = Type.Object(
  {
    id: Id,
    name: Type.String(),
    role: Type.Enum([...roles]),
    createdBy: Type.String(),
    createdAt: Timestamp,
    expiresAt: Timestamp,
    lastUsedAt: Nullable(Timestamp),
  },
  strict,
);
/** The only answer that ever holds the token itself. */
export const CreatedToken = Type.Object({ ...Token.properties, token: Type.String() }, strict);
export const TokenPage = Page(Token);
export type CreateToken = Static<typeof CreateToken>;
export type Token = Static<typeof Token>;
export type CreatedToken = Static<typeof CreatedToken>;
export type TokenPage = Static<typeof TokenPage>;

export const WorkerResource = Type.Object(
  {
    id: Id,
    role: Type.Enum(['replay', 'apply', 'feed']),
    pid: Type.Integer(),
    host: Type.String(),
    version: Type.String(),
    state: Type.Enum(['working', 'standby', 'lost']),
    joinedAt: Timestamp,
    lastTickAt: Nullable(Timestamp),
    leases: Count,
    /** How many it will hold at a time; null: not a replay worker. */
    leasesMax: Nullable(Count),
    tags: Type.Array(Type.Enum([...workerTags])),
    /** What an apply worker applies; none while it stands by. Absent: another role, or not heard since the api started. */
    lanes: Type.Optional(Type.Array(ApplyLane)),
    rssBytes: Nullable(Count),
  },
  strict,
);
export type WorkerResource = Static<typeof WorkerResource>;
export const WorkerPage = Page(WorkerResource);
