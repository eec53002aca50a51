CREATE TABLE "api_lease" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"term" bigint NOT NULL,
	"host" text NOT NULL,
	"pid" integer NOT NULL,
	"url" text NOT NULL,
	"since" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "api_lease_is_one_row" CHECK ("api_lease"."id" = 1),
	CONSTRAINT "api_lease_term_rises_from_1" CHECK ("api_lease"."term" >= 1)
);
