ALTER TABLE "recipients" ADD COLUMN "corrected_in" bigint;--> statement-breakpoint
CREATE INDEX "recipients_corrected" ON "recipients" ("batch_id","line") WHERE "corrected_in" is not null;