ALTER TABLE "left_out" ADD COLUMN "person_id" bigint;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "directory_bound_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "directory_bound_by" text;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "directory_password_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "directory_separated_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "directory_mail" text;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "directory_mail_key" text;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "directory_trouble" text;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "directory_trouble_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "planned" ADD COLUMN "wants_address" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "planned" ADD COLUMN "holder_id" bigint;--> statement-breakpoint
ALTER TABLE "sync_runs" ADD COLUMN "addresses" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "planned" ALTER COLUMN "takes_address" SET DEFAULT false;--> statement-breakpoint
CREATE INDEX "left_out_person" ON "left_out" ("person_id") WHERE "person_id" is not null;--> statement-breakpoint
CREATE INDEX "people_directory_mail" ON "people" ("directory_mail_key","id") WHERE "directory_mail_key" is not null;--> statement-breakpoint
CREATE INDEX "people_directory_mail_search" ON "people" USING gin (directory_mail_key gin_trgm_ops) WHERE "directory_mail_key" is not null;--> statement-breakpoint
CREATE INDEX "people_directory_trouble" ON "people" ("id") WHERE "directory_trouble" is not null;--> statement-breakpoint
ALTER TABLE "people" ADD CONSTRAINT "people_directory_bound_by" CHECK ("directory_bound_by" in ('sync', 'address', 'join', 'sign-in', 'password', 'admin'));--> statement-breakpoint
ALTER TABLE "people" ADD CONSTRAINT "people_directory_trouble" CHECK ("directory_trouble" in ('entry-missing', 'two-entries', 'entry-taken'));--> statement-breakpoint
ALTER TABLE "sync_changes" DROP CONSTRAINT "sync_changes_kind", ADD CONSTRAINT "sync_changes_kind" CHECK ("kind" in ('added', 'removed', 'parked', 'changed', 'address', 'disabled', 'gone', 'back', 'deactivated', 'deactivation-parked'));--> statement-breakpoint
-- Everybody is compared again at the next sync: whose address is another one in the directory was never noted.
UPDATE "directory_groups" SET "fingerprint" = NULL;
