CREATE TABLE "alerts" (
	"id" text PRIMARY KEY NOT NULL,
	"ordinal" bigserial NOT NULL,
	"pipeline_id" text NOT NULL,
	"backfill_id" text,
	"code" text NOT NULL,
	"subject" text,
	"severity" text NOT NULL,
	"detail" text NOT NULL,
	"raised_at" timestamp with time zone DEFAULT now() NOT NULL,
	"cleared_at" timestamp with time zone,
	CONSTRAINT "alerts_severity_known" CHECK (severity in ('warning', 'critical')),
	CONSTRAINT "alerts_cleared_after_raised" CHECK ("alerts"."cleared_at" >= "alerts"."raised_at")
);
--> statement-breakpoint
CREATE TABLE "drills" (
	"id" text PRIMARY KEY NOT NULL,
	"ordinal" bigserial NOT NULL,
	"pipeline_id" text NOT NULL,
	"state" text NOT NULL,
	"for_ms" integer NOT NULL,
	"started_by" text NOT NULL,
	"requested_at" timestamp with time zone DEFAULT now() NOT NULL,
	"stalled_at" timestamp with time zone,
	"stages" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"reader_stopped_at" timestamp with time zone,
	"peak_backlog" bigint,
	"released_at" timestamp with time zone,
	"recovered_at" timestamp with time zone,
	"detail" text,
	CONSTRAINT "drills_state_known" CHECK (state in ('stalling', 'recovering', 'finished', 'failed')),
	CONSTRAINT "drills_bounded" CHECK ("drills"."for_ms" between 1 and 30000)
);
--> statement-breakpoint
CREATE TABLE "gaps" (
	"id" text PRIMARY KEY NOT NULL,
	"source_id" text NOT NULL,
	"gap_from" bigint NOT NULL,
	"from_known" boolean NOT NULL,
	"gap_to" bigint,
	"backfill_id" text,
	"disconnected_by" text NOT NULL,
	"disconnected_at" timestamp with time zone DEFAULT now() NOT NULL,
	"reconnected_by" text,
	"reconnected_at" timestamp with time zone,
	CONSTRAINT "gaps_range_ordered" CHECK ("gaps"."gap_from" <= "gaps"."gap_to"),
	CONSTRAINT "gaps_filled_when_known" CHECK ("gaps"."backfill_id" is null or "gaps"."gap_to" is not null)
);
--> statement-breakpoint
CREATE TABLE "probes" (
	"id" text PRIMARY KEY NOT NULL,
	"pipeline_id" text NOT NULL,
	"title" text NOT NULL,
	"kind" text NOT NULL,
	"url" text NOT NULL,
	"query" text,
	"pointer" text,
	"target" double precision,
	"worse_when" text NOT NULL,
	"fail_mode" text NOT NULL,
	"interval_ms" integer NOT NULL,
	"timeout_ms" integer NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "probes_kind_known" CHECK (kind in ('sql', 'promql', 'http_json')),
	CONSTRAINT "probes_worse_when_known" CHECK (worse_when in ('above', 'below')),
	CONSTRAINT "probes_fail_mode_known" CHECK (fail_mode in ('bad', 'ignore')),
	CONSTRAINT "probes_target_positive" CHECK ("probes"."target" > 0),
	CONSTRAINT "probes_times_positive" CHECK ("probes"."interval_ms" > 0 and "probes"."timeout_ms" > 0)
);
--> statement-breakpoint
ALTER TABLE "backfills" ADD COLUMN "not_before" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "pipelines" ADD COLUMN "replay_floor" double precision DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "pipelines" ADD COLUMN "headroom" double precision DEFAULT 0.1 NOT NULL;--> statement-breakpoint
ALTER TABLE "pipelines" ADD COLUMN "signals" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "pipelines" ADD COLUMN "reconnect_stagger_ms" integer DEFAULT 5000 NOT NULL;--> statement-breakpoint
ALTER TABLE "sources" ADD COLUMN "disconnected_at" bigint;--> statement-breakpoint
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_backfill_id_backfills_id_fk" FOREIGN KEY ("backfill_id") REFERENCES "public"."backfills"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "drills" ADD CONSTRAINT "drills_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "gaps" ADD CONSTRAINT "gaps_source_id_sources_id_fk" FOREIGN KEY ("source_id") REFERENCES "public"."sources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "gaps" ADD CONSTRAINT "gaps_backfill_id_backfills_id_fk" FOREIGN KEY ("backfill_id") REFERENCES "public"."backfills"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "probes" ADD CONSTRAINT "probes_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "alerts_raised_once" ON "alerts" USING btree ("pipeline_id","code",coalesce(subject, ''),coalesce(backfill_id, '')) WHERE cleared_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "alerts_by_ordinal" ON "alerts" USING btree ("ordinal");--> statement-breakpoint
CREATE UNIQUE INDEX "drills_one_at_a_time" ON "drills" USING btree ("pipeline_id") WHERE state in ('stalling', 'recovering');--> statement-breakpoint
CREATE UNIQUE INDEX "drills_by_ordinal" ON "drills" USING btree ("ordinal");--> statement-breakpoint
CREATE UNIQUE INDEX "gaps_one_outage_a_source" ON "gaps" USING btree ("source_id") WHERE reconnected_at is null;--> statement-breakpoint
CREATE INDEX "gaps_by_source" ON "gaps" USING btree ("source_id","gap_from");--> statement-breakpoint
CREATE INDEX "probes_by_pipeline" ON "probes" USING btree ("pipeline_id");--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_floor_within_share" CHECK ("pipelines"."replay_floor" between 0 and 1 and "pipelines"."replay_floor" <= "pipelines"."replay_share");--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_headroom_in_range" CHECK ("pipelines"."headroom" between 0 and 1);--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_stagger_not_negative" CHECK ("pipelines"."reconnect_stagger_ms" >= 0);