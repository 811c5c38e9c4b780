CREATE TABLE "mail_servers" (
	"server" text PRIMARY KEY,
	"connections" integer,
	"connections_try_at" timestamp with time zone,
	"connections_refused" smallint DEFAULT 0 NOT NULL,
	"connections_raised" boolean DEFAULT false NOT NULL,
	"mails_per_connection" integer,
	"per_minute" double precision,
	"per_minute_try_at" timestamp with time zone,
	"per_minute_refused" smallint DEFAULT 0 NOT NULL,
	"per_minute_raised" boolean DEFAULT false NOT NULL,
	"rest_until" timestamp with time zone,
	"reply" text,
	"asked_at" timestamp with time zone DEFAULT now() NOT NULL,
	"allowance" double precision DEFAULT 0 NOT NULL,
	"refilled_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mail_workers" (
	"worker" text PRIMARY KEY,
	"server" text NOT NULL,
	"connections" integer NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL
);
