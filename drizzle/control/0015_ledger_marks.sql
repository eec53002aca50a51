CREATE TABLE "ledger_marks" (
	"backfill_id" text PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"binding" text,
	"events_per_second" double precision NOT NULL
);
--> statement-breakpoint
ALTER TABLE "ledger_marks" ADD CONSTRAINT "ledger_marks_backfill_id_backfills_id_fk" FOREIGN KEY ("backfill_id") REFERENCES "public"."backfills"("id") ON DELETE no action ON UPDATE no action;