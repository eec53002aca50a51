CREATE TABLE "finished_runs" (
	"backfill_id" text PRIMARY KEY NOT NULL,
	"pipeline_id" text NOT NULL,
	"finished_at" timestamp with time zone NOT NULL,
	"events" bigint NOT NULL,
	"usage" text NOT NULL,
	"seconds" double precision NOT NULL,
	"modelled_seconds" double precision NOT NULL,
	"modelled_stream_byte_ms" double precision NOT NULL,
	CONSTRAINT "finished_runs_positive" CHECK ("finished_runs"."events" >= 0 and "finished_runs"."seconds" > 0 and "finished_runs"."modelled_seconds" > 0)
);
--> statement-breakpoint
CREATE TABLE "metered" (
	"backfill_id" text PRIMARY KEY NOT NULL,
	"usage" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "meters" (
	"pipeline_id" text PRIMARY KEY NOT NULL,
	"state" text NOT NULL,
	"durable" text NOT NULL,
	"revision" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "price_books" (
	"pipeline_id" text NOT NULL,
	"version" integer NOT NULL,
	"title" text NOT NULL,
	"currency" text NOT NULL,
	"prices" jsonb NOT NULL,
	"provisioned" jsonb NOT NULL,
	"spend_counts" text NOT NULL,
	"example_of" text,
	"changed_by" text NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "price_books_pipeline_id_version_pk" PRIMARY KEY("pipeline_id","version"),
	CONSTRAINT "price_books_version_positive" CHECK ("price_books"."version" >= 1),
	CONSTRAINT "price_books_spend_known" CHECK (spend_counts in ('everything', 'overage'))
);
--> statement-breakpoint
CREATE TABLE "quotes" (
	"id" text PRIMARY KEY NOT NULL,
	"pipeline_id" text NOT NULL,
	"request" jsonb NOT NULL,
	"limits" jsonb NOT NULL,
	"basis" jsonb NOT NULL,
	"estimate" jsonb NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "quotes_expire_after_made" CHECK ("quotes"."expires_at" > "quotes"."created_at")
);
--> statement-breakpoint
ALTER TABLE "backfills" ADD COLUMN "price_book_version" integer;--> statement-breakpoint
ALTER TABLE "backfills" ADD COLUMN "estimate" jsonb;--> statement-breakpoint
ALTER TABLE "finished_runs" ADD CONSTRAINT "finished_runs_backfill_id_backfills_id_fk" FOREIGN KEY ("backfill_id") REFERENCES "public"."backfills"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "finished_runs" ADD CONSTRAINT "finished_runs_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "metered" ADD CONSTRAINT "metered_backfill_id_backfills_id_fk" FOREIGN KEY ("backfill_id") REFERENCES "public"."backfills"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "meters" ADD CONSTRAINT "meters_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "price_books" ADD CONSTRAINT "price_books_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "quotes" ADD CONSTRAINT "quotes_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "finished_runs_by_pipeline" ON "finished_runs" USING btree ("pipeline_id","finished_at");--> statement-breakpoint
CREATE INDEX "quotes_by_expiry" ON "quotes" USING btree ("expires_at");