CREATE TABLE "batch_chunks" (
	"batch_id" bigint,
	"first_line" integer,
	"line_numbers" text NOT NULL,
	"texts" text NOT NULL,
	"addresses" text NOT NULL,
	"address_keys" text NOT NULL,
	"verdicts" text NOT NULL,
	"reasons" text NOT NULL,
	"suggestions" text NOT NULL,
	CONSTRAINT "batch_chunks_pkey" PRIMARY KEY("batch_id","first_line")
);
--> statement-breakpoint
CREATE TABLE "batches" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "batches_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"source" text NOT NULL,
	"state" text NOT NULL,
	"action" text NOT NULL,
	"file_name" text,
	"created_by" bigint NOT NULL,
	"corrects_batch_id" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	"stop_reason" text,
	"lines" integer DEFAULT 0 NOT NULL,
	"judged" integer DEFAULT 0 NOT NULL,
	"malformed" integer DEFAULT 0 NOT NULL,
	"foreign" integer DEFAULT 0 NOT NULL,
	"duplicate" integer DEFAULT 0 NOT NULL,
	"active" integer DEFAULT 0 NOT NULL,
	"deactivated" integer DEFAULT 0 NOT NULL,
	"suppressed" integer DEFAULT 0 NOT NULL,
	"pending" integer DEFAULT 0 NOT NULL,
	"invite" integer DEFAULT 0 NOT NULL,
	"mails_queued" integer DEFAULT 0 NOT NULL,
	"mails_sending" integer DEFAULT 0 NOT NULL,
	"mails_sent" integer DEFAULT 0 NOT NULL,
	"mails_deferred" integer DEFAULT 0 NOT NULL,
	"mails_failed" integer DEFAULT 0 NOT NULL,
	"mails_unknown" integer DEFAULT 0 NOT NULL,
	"mails_bounced" integer DEFAULT 0 NOT NULL,
	"mails_suppressed" integer DEFAULT 0 NOT NULL,
	"mails_cancelled" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "batches_state" CHECK ("state" in ('receiving', 'incomplete', 'checking', 'checked', 'sending', 'paused', 'stopped', 'cancelled', 'done')),
	CONSTRAINT "batches_source" CHECK ("source" in ('typed', 'file', 'group', 'correction'))
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "deliveries_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text DEFAULT 'invitation' NOT NULL,
	"person_id" bigint NOT NULL,
	"invitation_id" bigint,
	"batch_id" bigint,
	"address" text NOT NULL,
	"state" text DEFAULT 'queued' NOT NULL,
	"priority" smallint DEFAULT 0 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone DEFAULT now() NOT NULL,
	"lease_until" timestamp with time zone,
	"message_id" text,
	"server_reply" text,
	"may_have_arrived" boolean DEFAULT false NOT NULL,
	"queued_at" timestamp with time zone DEFAULT now() NOT NULL,
	"settled_at" timestamp with time zone,
	CONSTRAINT "deliveries_state" CHECK ("state" in ('queued', 'sending', 'sent', 'deferred', 'failed', 'unknown', 'bounced', 'suppressed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "domains" (
	"name" text PRIMARY KEY
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"kind" text NOT NULL,
	"actor_id" bigint,
	"person_id" bigint,
	"batch_id" bigint,
	"details" jsonb DEFAULT '{}' NOT NULL,
	"address" text
);
--> statement-breakpoint
CREATE TABLE "invitations" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "invitations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"person_id" bigint NOT NULL,
	"batch_id" bigint,
	"invited_by" bigint,
	"role" text DEFAULT 'member' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"nonce" bytea,
	"token_hash" bytea,
	"accepted_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"superseded_at" timestamp with time zone,
	"requested_at" timestamp with time zone,
	CONSTRAINT "invitations_role" CHECK ("role" in ('member', 'auditor', 'admin', 'owner'))
);
--> statement-breakpoint
CREATE TABLE "mail_transport" (
	"id" smallint PRIMARY KEY DEFAULT 1,
	"paused_since" timestamp with time zone,
	"next_probe_at" timestamp with time zone,
	"reason" text,
	CONSTRAINT "mail_transport_one_row" CHECK ("id" = 1)
);
--> statement-breakpoint
CREATE TABLE "people" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "people_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"email" text NOT NULL,
	"address_key" text NOT NULL,
	"name" text,
	"role" text DEFAULT 'member' NOT NULL,
	"password_hash" text,
	"theme" text DEFAULT 'system' NOT NULL,
	"time_zone" text,
	"shortcuts" boolean DEFAULT true NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"signed_up_at" timestamp with time zone,
	"deactivated_at" timestamp with time zone,
	"invitation_id" bigint,
	"invited_at" timestamp with time zone,
	"invitation_expires_at" timestamp with time zone,
	"invitation_revoked_at" timestamp with time zone,
	"delivery_id" bigint,
	"delivery_state" text,
	CONSTRAINT "people_role" CHECK ("role" in ('member', 'auditor', 'admin', 'owner')),
	CONSTRAINT "people_delivery_state" CHECK ("delivery_state" in ('queued', 'sending', 'sent', 'deferred', 'failed', 'unknown', 'bounced', 'suppressed', 'cancelled')),
	CONSTRAINT "people_deactivated_after_sign_up" CHECK ("deactivated_at" is null or "signed_up_at" is not null)
);
--> statement-breakpoint
CREATE TABLE "recipients" (
	"batch_id" bigint,
	"line" integer,
	"text" text NOT NULL,
	"address" text,
	"address_key" text,
	"verdict" text NOT NULL,
	"reason" text,
	"suggestion" text,
	"first_line" integer,
	"person_id" bigint,
	"invitation_id" bigint,
	CONSTRAINT "recipients_pkey" PRIMARY KEY("batch_id","line"),
	CONSTRAINT "recipients_verdict" CHECK ("verdict" in ('malformed', 'foreign', 'duplicate', 'active', 'deactivated', 'suppressed', 'pending', 'invite'))
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "sessions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"token_hash" bytea NOT NULL,
	"person_id" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"user_agent" text,
	"flash" text
);
--> statement-breakpoint
CREATE TABLE "settings" (
	"id" smallint PRIMARY KEY DEFAULT 1,
	"organization" text NOT NULL,
	"continue_url" text,
	"invitation_days" integer DEFAULT 14 NOT NULL,
	"time_zone" text DEFAULT 'UTC' NOT NULL,
	"set_up_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "settings_one_row" CHECK ("id" = 1),
	CONSTRAINT "settings_days" CHECK ("invitation_days" between 1 and 30)
);
--> statement-breakpoint
CREATE TABLE "sign_in_failures" (
	"key" text PRIMARY KEY,
	"failures" integer NOT NULL,
	"window_started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "suppressions" (
	"address_key" text PRIMARY KEY,
	"cause" text NOT NULL,
	"server_reply" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "batches_state" ON "batches" ("state");--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" ("priority","next_attempt_at") WHERE "state" in ('queued', 'deferred');--> statement-breakpoint
CREATE INDEX "deliveries_leased" ON "deliveries" ("lease_until") WHERE "state" = 'sending';--> statement-breakpoint
CREATE INDEX "deliveries_person" ON "deliveries" ("person_id");--> statement-breakpoint
CREATE INDEX "deliveries_batch" ON "deliveries" ("batch_id","state") WHERE "batch_id" is not null;--> statement-breakpoint
CREATE INDEX "events_person" ON "events" ("person_id");--> statement-breakpoint
CREATE INDEX "events_batch" ON "events" ("batch_id");--> statement-breakpoint
CREATE INDEX "events_at" ON "events" ("at");--> statement-breakpoint
CREATE UNIQUE INDEX "invitations_token_hash" ON "invitations" ("token_hash") WHERE "token_hash" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "invitations_one_open" ON "invitations" ("person_id") WHERE "accepted_at" is null and "revoked_at" is null and "superseded_at" is null;--> statement-breakpoint
CREATE INDEX "invitations_person" ON "invitations" ("person_id");--> statement-breakpoint
CREATE INDEX "invitations_requested" ON "invitations" ("requested_at") WHERE "requested_at" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "people_address_key" ON "people" ("address_key");--> statement-breakpoint
CREATE UNIQUE INDEX "recipients_first_of_address" ON "recipients" ("batch_id","address_key") WHERE "verdict" not in ('malformed', 'foreign', 'duplicate');--> statement-breakpoint
CREATE INDEX "recipients_problems" ON "recipients" ("batch_id","verdict","line") WHERE "verdict" <> 'invite';--> statement-breakpoint
CREATE UNIQUE INDEX "sessions_token_hash" ON "sessions" ("token_hash");--> statement-breakpoint
CREATE INDEX "sessions_person" ON "sessions" ("person_id");--> statement-breakpoint
ALTER TABLE "batch_chunks" ADD CONSTRAINT "batch_chunks_batch_id_batches_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "batches"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "batches" ADD CONSTRAINT "batches_created_by_people_id_fkey" FOREIGN KEY ("created_by") REFERENCES "people"("id");--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_person_id_people_id_fkey" FOREIGN KEY ("person_id") REFERENCES "people"("id");--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_invitation_id_invitations_id_fkey" FOREIGN KEY ("invitation_id") REFERENCES "invitations"("id");--> statement-breakpoint
ALTER TABLE "invitations" ADD CONSTRAINT "invitations_person_id_people_id_fkey" FOREIGN KEY ("person_id") REFERENCES "people"("id");--> statement-breakpoint
ALTER TABLE "recipients" ADD CONSTRAINT "recipients_batch_id_batches_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "batches"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_person_id_people_id_fkey" FOREIGN KEY ("person_id") REFERENCES "people"("id") ON DELETE CASCADE;