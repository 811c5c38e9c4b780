DROP INDEX "deliveries_troubled";--> statement-breakpoint
DROP INDEX "deliveries_due";--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" ("batch_id","priority","next_attempt_at") WHERE "state" in ('queued', 'deferred');--> statement-breakpoint
CREATE INDEX "people_console" ON "people" ("role") WHERE "role" <> 'member';