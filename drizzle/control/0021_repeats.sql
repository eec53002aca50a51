ALTER TABLE "runs" ADD COLUMN "again" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "ahead" bigint DEFAULT 0 NOT NULL;