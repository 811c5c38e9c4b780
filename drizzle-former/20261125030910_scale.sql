CREATE TABLE "batch_samples" (
	"batch_id" bigint,
	"at" timestamp with time zone DEFAULT now(),
	"settled" integer NOT NULL,
	CONSTRAINT "batch_samples_pkey" PRIMARY KEY("batch_id","at")
);
--> statement-breakpoint
CREATE TABLE "people_counts" (
	"stage" text NOT NULL,
	"delivery" text,
	"expires_at" timestamp with time zone,
	"people" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "people_days" (
	"day" date NOT NULL,
	"invited" bigint NOT NULL,
	"signed_up" bigint NOT NULL
);
--> statement-breakpoint
DROP INDEX "recipients_problems";--> statement-breakpoint
ALTER TABLE "mail_transport" ADD COLUMN "per_second" integer;--> statement-breakpoint
ALTER TABLE "mail_transport" ADD COLUMN "per_domain_per_second" integer;--> statement-breakpoint
ALTER TABLE "mail_transport" ADD COLUMN "allowance" double precision DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mail_transport" ADD COLUMN "refilled_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "stage" text GENERATED ALWAYS AS (case when deactivated_at is not null then 'deactivated' when signed_up_at is not null then 'signed-up' when invitation_id is null then 'not-invited' when invitation_revoked_at is not null then 'revoked' else 'invited' end) STORED;--> statement-breakpoint
ALTER TABLE "settings" ADD COLUMN "line_days" integer DEFAULT 90 NOT NULL;--> statement-breakpoint
CREATE INDEX "deliveries_single" ON "deliveries" ("state") WHERE "batch_id" is null;--> statement-breakpoint
CREATE INDEX "deliveries_troubled" ON "deliveries" ("state","id") WHERE "state" in ('deferred', 'failed', 'unknown', 'bounced', 'suppressed', 'cancelled');--> statement-breakpoint
CREATE INDEX "people_stage" ON "people" ("stage","address_key");--> statement-breakpoint
CREATE INDEX "people_expiry" ON "people" ("invitation_expires_at") WHERE "stage" = 'invited';--> statement-breakpoint
CREATE INDEX "people_search" ON "people" USING gin (("address_key" || E'\n' || lower(coalesce("name", ''))) gin_trgm_ops);--> statement-breakpoint
CREATE INDEX "recipients_verdict" ON "recipients" ("batch_id","verdict","line");--> statement-breakpoint
CREATE INDEX "recipients_search" ON "recipients" USING gin (lower("text") gin_trgm_ops);--> statement-breakpoint
ALTER TABLE "batch_samples" ADD CONSTRAINT "batch_samples_batch_id_batches_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "batches"("id") ON DELETE CASCADE;