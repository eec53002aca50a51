ALTER TABLE "sources" ADD COLUMN "rows_quarantined" bigint;--> statement-breakpoint
ALTER TABLE "sources" ADD CONSTRAINT "sources_quarantined_not_negative" CHECK ("sources"."rows_quarantined" >= 0);