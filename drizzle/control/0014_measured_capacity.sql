ALTER TABLE "pipelines" ADD COLUMN "measured_events_per_second" double precision;--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_measured_positive" CHECK ("pipelines"."measured_events_per_second" > 0);--> statement-breakpoint
UPDATE "pipelines" SET "measured_events_per_second" = "capacity_events_per_second" WHERE "capacity_origin" IN ('calibrated', 'refined');