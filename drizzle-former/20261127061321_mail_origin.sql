CREATE TABLE "mail_origin" (
	"id" smallint PRIMARY KEY DEFAULT 1,
	"cluster" text,
	"database_oid" text NOT NULL,
	"key_print" text NOT NULL,
	"held_since" timestamp with time zone,
	CONSTRAINT "mail_origin_one_row" CHECK ("id" = 1)
);
