ALTER TABLE "lanes" DROP CONSTRAINT "lanes_source_id_sources_id_fk";
--> statement-breakpoint
ALTER TABLE "sources" ADD COLUMN "revision" integer DEFAULT 1 NOT NULL;