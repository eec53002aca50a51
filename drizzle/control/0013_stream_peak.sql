ALTER TABLE "backfills" ADD COLUMN "stream_peak" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "finished_runs" ADD COLUMN "longest_pause_ms" double precision;