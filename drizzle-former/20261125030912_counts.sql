-- Counts of people are kept, not counted: every statement that changes people adds what it changed, as one sum.
CREATE FUNCTION "count_people"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO people_counts (stage, delivery, expires_at, people)
      SELECT stage, delivery_state, CASE WHEN stage = 'invited' THEN invitation_expires_at END, count(*)
      FROM new_rows GROUP BY 1, 2, 3;
    INSERT INTO people_days (day, invited, signed_up)
      SELECT (now() AT TIME ZONE 'UTC')::date, count(*) FILTER (WHERE invitation_id IS NOT NULL), count(*) FILTER (WHERE signed_up_at IS NOT NULL AND invitation_id IS NOT NULL)
      FROM new_rows HAVING count(*) FILTER (WHERE invitation_id IS NOT NULL) > 0;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO people_counts (stage, delivery, expires_at, people)
      SELECT stage, delivery_state, CASE WHEN stage = 'invited' THEN invitation_expires_at END, -count(*)
      FROM old_rows GROUP BY 1, 2, 3;
  ELSE
    INSERT INTO people_counts (stage, delivery, expires_at, people)
      SELECT stage, delivery_state, expires_at, sum(n) FROM (
        SELECT stage, delivery_state, CASE WHEN stage = 'invited' THEN invitation_expires_at END AS expires_at, 1 AS n FROM new_rows
        UNION ALL
        SELECT stage, delivery_state, CASE WHEN stage = 'invited' THEN invitation_expires_at END, -1 FROM old_rows
      ) moved GROUP BY 1, 2, 3 HAVING sum(n) <> 0;
    INSERT INTO people_days (day, invited, signed_up)
      SELECT (now() AT TIME ZONE 'UTC')::date,
        count(*) FILTER (WHERE o.invitation_id IS NULL AND n.invitation_id IS NOT NULL),
        count(*) FILTER (WHERE o.signed_up_at IS NULL AND n.signed_up_at IS NOT NULL AND n.invitation_id IS NOT NULL)
      FROM new_rows n JOIN old_rows o USING (id)
      HAVING count(*) FILTER (WHERE (o.invitation_id IS NULL AND n.invitation_id IS NOT NULL) OR (o.signed_up_at IS NULL AND n.signed_up_at IS NOT NULL)) > 0;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "people_counted_insert" AFTER INSERT ON "people" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_people();
--> statement-breakpoint
CREATE TRIGGER "people_counted_update" AFTER UPDATE ON "people" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_people();
--> statement-breakpoint
CREATE TRIGGER "people_counted_delete" AFTER DELETE ON "people" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_people();
--> statement-breakpoint
INSERT INTO people_counts (stage, delivery, expires_at, people)
  SELECT stage, delivery_state, CASE WHEN stage = 'invited' THEN invitation_expires_at END, count(*) FROM people GROUP BY 1, 2, 3;
--> statement-breakpoint
INSERT INTO people_days (day, invited, signed_up)
  SELECT (created_at AT TIME ZONE 'UTC')::date, count(*), 0 FROM people WHERE invitation_id IS NOT NULL GROUP BY 1;
--> statement-breakpoint
INSERT INTO people_days (day, invited, signed_up)
  SELECT (signed_up_at AT TIME ZONE 'UTC')::date, 0, count(*) FROM people WHERE signed_up_at IS NOT NULL AND invitation_id IS NOT NULL GROUP BY 1;
--> statement-breakpoint
-- Room on each page for the row's next version: a mail changes its person twice, and no index with it.
ALTER TABLE "people" SET (fillfactor = 70);
