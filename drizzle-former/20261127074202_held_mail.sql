ALTER TABLE "batches" ADD COLUMN "mails_held" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "mail_origin" ADD COLUMN "decision" text;--> statement-breakpoint
CREATE INDEX "deliveries_held" ON "deliveries" ("id") WHERE "state" = 'held';--> statement-breakpoint
ALTER TABLE "deliveries" DROP CONSTRAINT "deliveries_state", ADD CONSTRAINT "deliveries_state" CHECK ("state" in ('queued', 'sending', 'held', 'sent', 'deferred', 'failed', 'unknown', 'bounced', 'suppressed', 'cancelled'));--> statement-breakpoint
ALTER TABLE "people" DROP CONSTRAINT "people_delivery_state", ADD CONSTRAINT "people_delivery_state" CHECK ("delivery_state" in ('queued', 'sending', 'held', 'sent', 'deferred', 'failed', 'unknown', 'bounced', 'suppressed', 'cancelled'));