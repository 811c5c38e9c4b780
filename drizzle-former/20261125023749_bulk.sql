ALTER TABLE "batches" ADD COLUMN "sent_by" bigint;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "received_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "checked_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "lease_until" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "batches_corrects" ON "batches" ("corrects_batch_id") WHERE "corrects_batch_id" is not null;--> statement-breakpoint
CREATE INDEX "events_kind" ON "events" ("kind","id");--> statement-breakpoint
CREATE INDEX "events_actor" ON "events" ("actor_id","id");