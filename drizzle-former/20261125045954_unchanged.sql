ALTER TABLE "directory_groups" ADD COLUMN "fingerprint" text;--> statement-breakpoint
ALTER TABLE "directory_groups" ADD COLUMN "compared_at" timestamp with time zone;