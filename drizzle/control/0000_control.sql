CREATE SEQUENCE "public"."fencing_tokens" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "audit" (
	"sequence" bigint PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"address" text,
	"action" text NOT NULL,
	"target" text NOT NULL,
	"reason" text,
	"before" jsonb,
	"after" jsonb,
	"previous_hash" text NOT NULL,
	"hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit_head" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"sequence" bigint NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "audit_head_is_one_row" CHECK ("audit_head"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "backfills" (
	"id" text PRIMARY KEY NOT NULL,
	"ordinal" bigserial NOT NULL,
	"pipeline_id" text NOT NULL,
	"window_from" bigint NOT NULL,
	"window_to" bigint NOT NULL,
	"requested_from" bigint NOT NULL,
	"requested_to" bigint NOT NULL,
	"subwindow_ms" bigint NOT NULL,
	"mode" text DEFAULT 'fill' NOT NULL,
	"dataset" integer DEFAULT 1 NOT NULL,
	"priority" integer DEFAULT 0 NOT NULL,
	"events_per_second_limit" double precision,
	"share_limit" double precision,
	"concurrency" integer NOT NULL,
	"budget_amount" text,
	"budget_currency" text,
	"reason" text,
	"state" text DEFAULT 'queued' NOT NULL,
	"origin" text NOT NULL,
	"warnings" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"events_expected" bigint,
	"subwindows_total" bigint NOT NULL,
	"subwindows_done" bigint DEFAULT 0 NOT NULL,
	"events_read" bigint DEFAULT 0 NOT NULL,
	"events_published" bigint DEFAULT 0 NOT NULL,
	"events_applied" bigint DEFAULT 0 NOT NULL,
	"events_duplicate" bigint DEFAULT 0 NOT NULL,
	"events_quarantined" bigint DEFAULT 0 NOT NULL,
	"verification_state" text DEFAULT 'pending' NOT NULL,
	"buckets_checked" bigint DEFAULT 0 NOT NULL,
	"buckets_matched" bigint DEFAULT 0 NOT NULL,
	"events_checked" bigint DEFAULT 0 NOT NULL,
	"verification_detail" text,
	"mismatches" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"failure" jsonb,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"revision" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "backfills_state_known" CHECK (state in ('queued', 'running', 'pausing', 'paused', 'verifying', 'completed', 'cancelling', 'cancelled', 'failed')),
	CONSTRAINT "backfills_window_ordered" CHECK ("backfills"."window_from" < "backfills"."window_to"),
	CONSTRAINT "backfills_window_inside_request" CHECK ("backfills"."window_from" >= "backfills"."requested_from" and "backfills"."window_to" <= "backfills"."requested_to"),
	CONSTRAINT "backfills_subwindow_positive" CHECK ("backfills"."subwindow_ms" > 0),
	CONSTRAINT "backfills_ended_when_final" CHECK ((ended_at is not null) = (state in ('completed', 'cancelled', 'failed'))),
	CONSTRAINT "backfills_started_before_running" CHECK ("backfills"."state" not in ('running', 'verifying', 'completed') or "backfills"."started_at" is not null),
	CONSTRAINT "backfills_progress_within_total" CHECK ("backfills"."subwindows_done" between 0 and "backfills"."subwindows_total"),
	CONSTRAINT "backfills_completed_is_proved" CHECK ("backfills"."state" <> 'completed' or "backfills"."verification_state" in ('matched', 'unavailable')),
	CONSTRAINT "backfills_rate_not_negative" CHECK ("backfills"."events_per_second_limit" >= 0),
	CONSTRAINT "backfills_share_in_range" CHECK ("backfills"."share_limit" between 0 and 1),
	CONSTRAINT "backfills_concurrency_positive" CHECK ("backfills"."concurrency" >= 1),
	CONSTRAINT "backfills_mode_known" CHECK (mode in ('fill', 'rebuild')),
	CONSTRAINT "backfills_verification_known" CHECK (verification_state in ('pending', 'running', 'matched', 'mismatched', 'unavailable'))
);
--> statement-breakpoint
CREATE TABLE "commands" (
	"id" text PRIMARY KEY NOT NULL,
	"verb" text NOT NULL,
	"pipeline_id" text,
	"backfill_id" text,
	"requested_at" timestamp with time zone DEFAULT now() NOT NULL,
	"acknowledged_at" timestamp with time zone,
	"effective_at" timestamp with time zone,
	CONSTRAINT "commands_in_order" CHECK ("commands"."acknowledged_at" >= "commands"."requested_at" and "commands"."effective_at" >= "commands"."acknowledged_at")
);
--> statement-breakpoint
CREATE TABLE "holds" (
	"backfill_id" text NOT NULL,
	"reason" text NOT NULL,
	"detail" text,
	"by" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "holds_backfill_id_reason_pk" PRIMARY KEY("backfill_id","reason"),
	CONSTRAINT "holds_reason_known" CHECK (reason in ('operator', 'budget', 'brake', 'storm'))
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"actor" text NOT NULL,
	"route" text NOT NULL,
	"key" text NOT NULL,
	"body_digest" text NOT NULL,
	"status" integer NOT NULL,
	"answer" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_actor_route_key_pk" PRIMARY KEY("actor","route","key")
);
--> statement-breakpoint
CREATE TABLE "lanes" (
	"backfill_id" text NOT NULL,
	"source_id" text NOT NULL,
	"lane_from" bigint NOT NULL,
	"lane_to" bigint NOT NULL,
	"subwindows" bigint NOT NULL,
	"next_index" bigint DEFAULT 0 NOT NULL,
	"slot_held" boolean DEFAULT false NOT NULL,
	"verified" boolean DEFAULT false NOT NULL,
	CONSTRAINT "lanes_backfill_id_source_id_pk" PRIMARY KEY("backfill_id","source_id"),
	CONSTRAINT "lanes_next_within" CHECK ("lanes"."next_index" between 0 and "lanes"."subwindows"),
	CONSTRAINT "lanes_range_ordered" CHECK ("lanes"."lane_from" < "lanes"."lane_to")
);
--> statement-breakpoint
CREATE TABLE "ledger" (
	"backfill_id" text NOT NULL,
	"reason" text NOT NULL,
	"seconds" double precision DEFAULT 0 NOT NULL,
	CONSTRAINT "ledger_backfill_id_reason_pk" PRIMARY KEY("backfill_id","reason"),
	CONSTRAINT "ledger_not_negative" CHECK ("ledger"."seconds" >= 0)
);
--> statement-breakpoint
CREATE TABLE "pipelines" (
	"id" text PRIMARY KEY NOT NULL,
	"title" text NOT NULL,
	"capacity_events_per_second" double precision,
	"capacity_origin" text DEFAULT 'unknown' NOT NULL,
	"capacity_measured_at" timestamp with time zone,
	"replay_share" double precision NOT NULL,
	"max_sources_replaying" integer NOT NULL,
	"high_water_mark" integer NOT NULL,
	"bucket_ms" integer NOT NULL,
	"allowed_lateness_ms" integer NOT NULL,
	"event_retention_ms" bigint NOT NULL,
	"route" text DEFAULT 'separate' NOT NULL,
	"route_decision" text NOT NULL,
	"live_stream" text NOT NULL,
	"replay_stream" text NOT NULL,
	"live_events_per_second" integer,
	"live_from" bigint,
	"replay_paused" boolean DEFAULT false NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "pipelines_replay_share_in_range" CHECK ("pipelines"."replay_share" between 0 and 1),
	CONSTRAINT "pipelines_capacity_positive" CHECK ("pipelines"."capacity_events_per_second" > 0),
	CONSTRAINT "pipelines_capacity_known_when_measured" CHECK (("pipelines"."capacity_origin" = 'unknown') = ("pipelines"."capacity_events_per_second" is null)),
	CONSTRAINT "pipelines_slots_positive" CHECK ("pipelines"."max_sources_replaying" >= 1),
	CONSTRAINT "pipelines_live_rate_in_range" CHECK ("pipelines"."live_events_per_second" between 0 and 5000),
	CONSTRAINT "pipelines_route_known" CHECK (route in ('separate', 'shared')),
	CONSTRAINT "pipelines_capacity_origin_known" CHECK (capacity_origin in ('unknown', 'calibrated', 'refined', 'set_by_hand'))
);
--> statement-breakpoint
CREATE TABLE "positions" (
	"stream" text PRIMARY KEY NOT NULL,
	"position" text NOT NULL,
	"reported_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "quarantine" (
	"backfill_id" text NOT NULL,
	"source_id" text NOT NULL,
	"address" text NOT NULL,
	"code" text NOT NULL,
	"detail" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "quarantine_backfill_id_source_id_address_pk" PRIMARY KEY("backfill_id","source_id","address")
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text DEFAULT 'replay' NOT NULL,
	"backfill_id" text NOT NULL,
	"source_id" text NOT NULL,
	"from_index" bigint NOT NULL,
	"to_index" bigint NOT NULL,
	"state" text NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"retry_at" timestamp with time zone,
	"worker_id" text,
	"fencing_token" bigint,
	"lease_expires_at" timestamp with time zone,
	"cursor" text,
	"read" bigint DEFAULT 0 NOT NULL,
	"published" bigint DEFAULT 0 NOT NULL,
	"quarantined" bigint DEFAULT 0 NOT NULL,
	"buckets_checked" bigint DEFAULT 0 NOT NULL,
	"buckets_matched" bigint DEFAULT 0 NOT NULL,
	"events_checked" bigint DEFAULT 0 NOT NULL,
	"marker_offset" text,
	"failure" jsonb,
	CONSTRAINT "runs_range_ordered" CHECK ("runs"."from_index" < "runs"."to_index"),
	CONSTRAINT "runs_state_known" CHECK (state in ('pending', 'leased', 'published', 'done', 'failed')),
	CONSTRAINT "runs_leased_has_owner" CHECK (("runs"."state" = 'leased') = ("runs"."worker_id" is not null and "runs"."lease_expires_at" is not null)),
	CONSTRAINT "runs_leased_has_token" CHECK ("runs"."state" not in ('leased', 'published') or "runs"."fencing_token" is not null),
	CONSTRAINT "runs_published_has_marker" CHECK ("runs"."state" <> 'published' or "runs"."marker_offset" is not null)
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"digest" text PRIMARY KEY NOT NULL,
	"actor" text NOT NULL,
	"role" text NOT NULL,
	"csrf_token" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sign_in_codes" (
	"digest" text PRIMARY KEY NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sources" (
	"id" text PRIMARY KEY NOT NULL,
	"pipeline_id" text NOT NULL,
	"title" text NOT NULL,
	"connector" text NOT NULL,
	"config" jsonb NOT NULL,
	"state" text DEFAULT 'connected' NOT NULL,
	"failure" jsonb,
	"range_from" bigint,
	"range_to" bigint,
	"fingerprint" text,
	"counted_at" timestamp with time zone,
	"count_from" bigint,
	"count_step_ms" integer,
	"counts" "bytea",
	"lap_span_ms" bigint,
	"laps" integer,
	CONSTRAINT "sources_state_known" CHECK (state in ('connected', 'disconnected', 'failed')),
	CONSTRAINT "sources_range_ordered" CHECK ("sources"."range_from" < "sources"."range_to")
);
--> statement-breakpoint
CREATE TABLE "telemetry" (
	"pipeline_id" text NOT NULL,
	"step_seconds" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"values" jsonb NOT NULL,
	CONSTRAINT "telemetry_pipeline_id_step_seconds_at_pk" PRIMARY KEY("pipeline_id","step_seconds","at"),
	CONSTRAINT "telemetry_step_known" CHECK ("telemetry"."step_seconds" in (1, 10, 60))
);
--> statement-breakpoint
CREATE TABLE "tokens" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"digest" text NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "tokens_role_known" CHECK (role in ('viewer', 'operator', 'admin', 'worker'))
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"id" text PRIMARY KEY NOT NULL,
	"role" text NOT NULL,
	"pid" integer NOT NULL,
	"host" text NOT NULL,
	"version" text NOT NULL,
	"standby" boolean DEFAULT false NOT NULL,
	"joined_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_tick_at" timestamp with time zone DEFAULT now() NOT NULL,
	"left_at" timestamp with time zone,
	"rss_bytes" bigint,
	CONSTRAINT "workers_role_known" CHECK (role in ('replay', 'apply', 'feed'))
);
--> statement-breakpoint
ALTER TABLE "backfills" ADD CONSTRAINT "backfills_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "holds" ADD CONSTRAINT "holds_backfill_id_backfills_id_fk" FOREIGN KEY ("backfill_id") REFERENCES "public"."backfills"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lanes" ADD CONSTRAINT "lanes_backfill_id_backfills_id_fk" FOREIGN KEY ("backfill_id") REFERENCES "public"."backfills"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lanes" ADD CONSTRAINT "lanes_source_id_sources_id_fk" FOREIGN KEY ("source_id") REFERENCES "public"."sources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ledger" ADD CONSTRAINT "ledger_backfill_id_backfills_id_fk" FOREIGN KEY ("backfill_id") REFERENCES "public"."backfills"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sources" ADD CONSTRAINT "sources_pipeline_id_pipelines_id_fk" FOREIGN KEY ("pipeline_id") REFERENCES "public"."pipelines"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "backfills_by_ordinal" ON "backfills" USING btree ("ordinal");--> statement-breakpoint
CREATE INDEX "backfills_by_state" ON "backfills" USING btree ("state");--> statement-breakpoint
CREATE INDEX "commands_open" ON "commands" USING btree ("backfill_id") WHERE effective_at is null;--> statement-breakpoint
CREATE INDEX "runs_by_lane" ON "runs" USING btree ("backfill_id","source_id","from_index");--> statement-breakpoint
CREATE INDEX "runs_by_state" ON "runs" USING btree ("state");--> statement-breakpoint
CREATE INDEX "sources_by_pipeline" ON "sources" USING btree ("pipeline_id");--> statement-breakpoint
CREATE UNIQUE INDEX "tokens_by_digest" ON "tokens" USING btree ("digest");