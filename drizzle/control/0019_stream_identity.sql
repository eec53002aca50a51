CREATE TABLE "stream_identity" (
	"one" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"since" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "stream_identity_is_one_row" CHECK ("stream_identity"."one" = 1)
);
