ALTER TABLE "backfills" ADD COLUMN "events_again" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "backfills" ADD CONSTRAINT "backfills_again_not_negative" CHECK ("backfills"."events_again" >= 0);--> statement-breakpoint
-- Nothing of these is on the stream: they are read from their beginning.
UPDATE "runs" SET "read" = 0, "published" = 0 WHERE "kind" = 'replay' AND "cursor" IS NULL AND "state" IN ('pending', 'failed');--> statement-breakpoint
UPDATE "backfills" b SET "events_again" = greatest(0, CASE WHEN p."external" IS NULL THEN b."events_applied" + b."events_duplicate" + b."events_quarantined" ELSE b."events_published" END
	- (SELECT coalesce(sum(r."published"), 0) FROM "runs" r WHERE r."backfill_id" = b."id"))
FROM "pipelines" p WHERE p."id" = b."pipeline_id" AND b."state" NOT IN ('completed', 'cancelled');
