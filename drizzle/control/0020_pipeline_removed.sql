ALTER TABLE "backfills" DROP CONSTRAINT "backfills_pipeline_id_pipelines_id_fk";
--> statement-breakpoint
ALTER TABLE "finished_runs" DROP CONSTRAINT "finished_runs_pipeline_id_pipelines_id_fk";
--> statement-breakpoint
ALTER TABLE "meters" DROP CONSTRAINT "meters_pipeline_id_pipelines_id_fk";
--> statement-breakpoint
ALTER TABLE "price_books" DROP CONSTRAINT "price_books_pipeline_id_pipelines_id_fk";
--> statement-breakpoint
ALTER TABLE "alerts" DROP CONSTRAINT "alerts_pipeline_id_pipelines_id_fk";
--> statement-breakpoint
ALTER TABLE "drills" DROP CONSTRAINT "drills_pipeline_id_pipelines_id_fk";
--> statement-breakpoint
ALTER TABLE "pipelines" ADD COLUMN "removed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "backfills" ADD CONSTRAINT "backfills_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "finished_runs" ADD CONSTRAINT "finished_runs_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "meters" ADD CONSTRAINT "meters_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "price_books" ADD CONSTRAINT "price_books_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "drills" ADD CONSTRAINT "drills_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_id_given_up_when_removed" CHECK (("pipelines"."removed_at" is not null) = ("pipelines"."id" like '%~%'));