-- The audit trail can only grow, for every role.
CREATE OR REPLACE FUNCTION "keep_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are never changed or deleted' USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE TRIGGER "events_kept" BEFORE UPDATE OR DELETE OR TRUNCATE ON "events" FOR EACH STATEMENT EXECUTE FUNCTION keep_events();
--> statement-breakpoint
ALTER TABLE "events" ENABLE ALWAYS TRIGGER "events_kept";
