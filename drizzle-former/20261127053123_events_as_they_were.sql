ALTER TABLE "events" ADD COLUMN "actor_name" text;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "actor_email" text;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "person_name" text;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "person_email" text;