CREATE TABLE "webhook_messages" (
	"id" text PRIMARY KEY NOT NULL,
	"ordinal" bigserial NOT NULL,
	"webhook_id" text NOT NULL,
	"event" text NOT NULL,
	"body" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_messages_tried_when_due_again" CHECK (("webhook_messages"."attempts" = 0) = ("webhook_messages"."next_attempt_at" is null))
);
--> statement-breakpoint
CREATE TABLE "webhooks" (
	"id" text PRIMARY KEY NOT NULL,
	"title" text NOT NULL,
	"url" text NOT NULL,
	"events" jsonb NOT NULL,
	"enabled" boolean NOT NULL,
	"sealed_secret" jsonb NOT NULL,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	"delivered" bigint DEFAULT 0 NOT NULL,
	"given_up" bigint DEFAULT 0 NOT NULL,
	"dropped" bigint DEFAULT 0 NOT NULL,
	"last_attempt" jsonb,
	CONSTRAINT "webhooks_counts_not_negative" CHECK (least("webhooks"."delivered", "webhooks"."given_up", "webhooks"."dropped") >= 0)
);
--> statement-breakpoint
ALTER TABLE "webhook_messages" ADD CONSTRAINT "webhook_messages_webhook_id_webhooks_id_fk" FOREIGN KEY ("webhook_id") REFERENCES "public"."webhooks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_messages_by_webhook" ON "webhook_messages" USING btree ("webhook_id","ordinal");--> statement-breakpoint
CREATE INDEX "audit_by_target" ON "audit" USING btree ("target","sequence");--> statement-breakpoint
CREATE INDEX "audit_by_actor" ON "audit" USING btree ("actor","sequence");--> statement-breakpoint
CREATE INDEX "audit_by_action" ON "audit" USING btree ("action","sequence");--> statement-breakpoint
CREATE INDEX "audit_by_time" ON "audit" USING btree ("at");