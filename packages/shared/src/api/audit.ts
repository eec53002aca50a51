import { type Static, Type } from 'typebox';
import { Count, Nullable, Page, PageQuery, strict, Timestamp } from './primitives.ts';

export const AuditEntry = Type.Object(
  {
    sequence: Type.Integer(),
    at: Timestamp,
    actor: Type.String(),
    address: Nullable(Type.String()),
    action: Type.String(),
    target: Type.String(),
    reason: Nullable(Type.String()),
    before: Type.Unknown(),
    after: Type.Unknown(),
    hash: Type.String(),
  },
  strict,
);
export type AuditEntry = Static<typeof AuditEntry>;
export const AuditPage = Page(AuditEntry);
export type AuditPage = Static<typeof AuditPage>;
/** What is not named does not narrow. `from` and `to` are half-open: `[from, to)`. */
export const AuditQuery = Type.Object(
  {
    ...PageQuery,
    actor: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    action: Type.Optional(
      Type.String({
        maxLength: 60,
        pattern: '^[a-z_]+(\\.[a-z_]+)?$',
        description: 'one action, or every action on a kind of resource (`backfill`)',
      }),
    ),
    target: Type.Optional(Type.String({ maxLength: 100 })),
    from: Type.Optional(Timestamp),
    to: Type.Optional(Timestamp),
  },
  strict,
);
export type AuditQuery = Static<typeof AuditQuery>;
export const AuditVerdict = Type.Object(
  { intact: Type.Boolean(), entries: Count, firstBroken: Nullable(Type.Integer()) },
  strict,
);
export type AuditVerdict = Static<typeof AuditVerdict>;
