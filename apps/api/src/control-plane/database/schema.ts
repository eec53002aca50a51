/**
 * The control database: jobs, leases, receipts, rights and what was measured. No event ever comes here.
 *
 * The named CHECKs make impossible rows impossible, whoever writes them. States mirror the transition table of
 * `@spillway/shared/backfill/state-machine`.
 */
export * from './schema/backfills.ts';
export * from './schema/cost.ts';
export * from './schema/pipelines.ts';
export * from './schema/rights.ts';
export * from './schema/watching.ts';
export * from './schema/webhooks.ts';
export * from './schema/workers.ts';
