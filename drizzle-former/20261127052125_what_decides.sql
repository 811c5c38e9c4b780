ALTER TABLE "batches" ADD COLUMN "rest_of_batch_id" bigint;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "mails_kept" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "deliveries" ADD COLUMN "is_kept" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "invitations" ADD COLUMN "never_sent" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "delivery_is_kept" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "was_handed_over" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "suppression" text;--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "delivery" text GENERATED ALWAYS AS (case when suppression = 'opted-out' then 'suppressed' when suppression = 'bounced' and coalesce(delivery_state, '') not in ('failed', 'bounced') then 'bounced' else delivery_state end) STORED;--> statement-breakpoint
ALTER TABLE "people_counts" ADD COLUMN "is_kept" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "people_counts" ADD COLUMN "was_invited" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "people_counts" ADD COLUMN "was_handed_over" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "team_counts" ADD COLUMN "expires_at" timestamp with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "batches_rest_of" ON "batches" ("rest_of_batch_id") WHERE "rest_of_batch_id" is not null;--> statement-breakpoint
CREATE INDEX "people_suppressed" ON "people" ("id") WHERE "suppression" is not null;--> statement-breakpoint
-- Counts by what decides: whether an address gets no mail, whether somebody was ever invited, and whether a mail ever left.
CREATE OR REPLACE FUNCTION "count_people"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO people_counts (stage, delivery, expires_at, is_kept, was_invited, was_handed_over, people)
      SELECT stage, delivery, CASE WHEN stage = 'invited' THEN invitation_expires_at END,
        coalesce(delivery = 'sent' AND delivery_is_kept, false), invitation_id IS NOT NULL, was_handed_over, count(*)
      FROM new_rows GROUP BY 1, 2, 3, 4, 5, 6;
    INSERT INTO people_days (day, invited, signed_up)
      SELECT (now() AT TIME ZONE 'UTC')::date, count(*) FILTER (WHERE invitation_id IS NOT NULL), count(*) FILTER (WHERE signed_up_at IS NOT NULL AND invitation_id IS NOT NULL)
      FROM new_rows HAVING count(*) FILTER (WHERE invitation_id IS NOT NULL) > 0;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO people_counts (stage, delivery, expires_at, is_kept, was_invited, was_handed_over, people)
      SELECT stage, delivery, CASE WHEN stage = 'invited' THEN invitation_expires_at END,
        coalesce(delivery = 'sent' AND delivery_is_kept, false), invitation_id IS NOT NULL, was_handed_over, -count(*)
      FROM old_rows GROUP BY 1, 2, 3, 4, 5, 6;
    INSERT INTO people_days (day, invited, signed_up)
      SELECT (now() AT TIME ZONE 'UTC')::date, -count(*) FILTER (WHERE invitation_id IS NOT NULL), -count(*) FILTER (WHERE signed_up_at IS NOT NULL AND invitation_id IS NOT NULL)
      FROM old_rows HAVING count(*) FILTER (WHERE invitation_id IS NOT NULL) > 0;
  ELSE
    INSERT INTO people_counts (stage, delivery, expires_at, is_kept, was_invited, was_handed_over, people)
      SELECT stage, delivery, expires_at, is_kept, was_invited, was_handed_over, sum(n) FROM (
        SELECT stage, delivery, CASE WHEN stage = 'invited' THEN invitation_expires_at END AS expires_at,
          coalesce(delivery = 'sent' AND delivery_is_kept, false) AS is_kept, invitation_id IS NOT NULL AS was_invited, was_handed_over, 1 AS n FROM new_rows
        UNION ALL
        SELECT stage, delivery, CASE WHEN stage = 'invited' THEN invitation_expires_at END,
          coalesce(delivery = 'sent' AND delivery_is_kept, false), invitation_id IS NOT NULL, was_handed_over, -1 FROM old_rows
      ) moved GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0;
    INSERT INTO people_days (day, invited, signed_up)
      SELECT (now() AT TIME ZONE 'UTC')::date, coalesce(sum(n) FILTER (WHERE invitation_id IS NOT NULL), 0), coalesce(sum(n) FILTER (WHERE signed_up_at IS NOT NULL AND invitation_id IS NOT NULL), 0)
      FROM (SELECT invitation_id, signed_up_at, 1 AS n FROM new_rows UNION ALL SELECT invitation_id, signed_up_at, -1 FROM old_rows) moved
      HAVING coalesce(sum(n) FILTER (WHERE invitation_id IS NOT NULL), 0) <> 0 OR coalesce(sum(n) FILTER (WHERE signed_up_at IS NOT NULL AND invitation_id IS NOT NULL), 0) <> 0;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION "follow_memberships"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- one change of a team after the other: each sees what the one before has left
    PERFORM FROM teams WHERE id IN (SELECT team_id FROM new_rows) ORDER BY id FOR NO KEY UPDATE;
    EXECUTE 'INSERT INTO team_members (team_id, person_id, in_directory, department, title, sort, searched, stage, expires_at, delivery)
      SELECT n.team_id, p.id, n.in_directory, section_of(p.department), section_of(p.title), sorted_name(coalesce(p.name, p.email)),
        p.address_key || E''\n'' || lower(coalesce(p.name, '''')) || E''\n'' || lower(coalesce(p.title, '''')),
        p.stage, p.invitation_expires_at, p.delivery
      FROM (SELECT team_id, person_id, bool_or(source = ''directory'') AS in_directory FROM new_rows GROUP BY 1, 2) n
      JOIN people p ON p.id = n.person_id
      ON CONFLICT (team_id, person_id) DO UPDATE SET in_directory = true
      WHERE excluded.in_directory AND NOT team_members.in_directory';
  ELSE
    PERFORM FROM teams WHERE id IN (SELECT team_id FROM old_rows) ORDER BY id FOR NO KEY UPDATE;
    EXECUTE 'DELETE FROM team_members t USING old_rows o
      WHERE t.team_id = o.team_id AND t.person_id = o.person_id
        AND NOT EXISTS (SELECT FROM memberships m WHERE m.team_id = o.team_id AND m.person_id = o.person_id)';
    EXECUTE 'UPDATE team_members t SET in_directory = false FROM old_rows o
      WHERE o.source = ''directory'' AND t.team_id = o.team_id AND t.person_id = o.person_id AND t.in_directory
        AND NOT EXISTS (SELECT FROM memberships m WHERE m.team_id = o.team_id AND m.person_id = o.person_id AND m.source = ''directory'')';
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION "follow_people"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'UPDATE team_members t SET department = section_of(p.department), title = section_of(p.title),
      sort = sorted_name(coalesce(p.name, p.email)),
      searched = p.address_key || E''\n'' || lower(coalesce(p.name, '''')) || E''\n'' || lower(coalesce(p.title, '''')),
      stage = p.stage, expires_at = p.invitation_expires_at, delivery = p.delivery
    FROM new_rows p
    WHERE t.person_id = p.id
      AND (t.stage, t.expires_at, t.delivery, t.department, t.title, t.sort, t.searched) IS DISTINCT FROM
        (p.stage, p.invitation_expires_at, p.delivery, section_of(p.department), section_of(p.title),
          sorted_name(coalesce(p.name, p.email)), p.address_key || E''\n'' || lower(coalesce(p.name, '''')) || E''\n'' || lower(coalesce(p.title, '''')))';
  RETURN NULL;
END $$;
--> statement-breakpoint
-- An invitation that has expired is not waiting any more, in a group's row as on its page.
CREATE OR REPLACE FUNCTION "count_team_members"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO team_counts (team_id, stage, expires_at, people)
      SELECT team_id, stage, CASE WHEN stage = 'invited' THEN expires_at END, count(*) FROM new_rows WHERE in_directory GROUP BY 1, 2, 3;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO team_counts (team_id, stage, expires_at, people)
      SELECT team_id, stage, CASE WHEN stage = 'invited' THEN expires_at END, -count(*) FROM old_rows WHERE in_directory GROUP BY 1, 2, 3;
  ELSE
    INSERT INTO team_counts (team_id, stage, expires_at, people)
      SELECT team_id, stage, expires_at, sum(n) FROM (
        SELECT team_id, stage, CASE WHEN stage = 'invited' THEN expires_at END AS expires_at, 1 AS n FROM new_rows WHERE in_directory
        UNION ALL SELECT team_id, stage, CASE WHEN stage = 'invited' THEN expires_at END, -1 FROM old_rows WHERE in_directory
      ) moved GROUP BY 1, 2, 3 HAVING sum(n) <> 0;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
-- Why an address gets no mail, beside its person: lists filter and count by it without a second table.
CREATE FUNCTION "follow_suppressions"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    EXECUTE 'UPDATE people p SET suppression = NULL FROM old_rows o WHERE p.address_key = o.address_key';
  ELSE
    EXECUTE 'UPDATE people p SET suppression = n.cause FROM new_rows n WHERE p.address_key = n.address_key';
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "suppressions_followed_insert" AFTER INSERT ON "suppressions" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_suppressions();
--> statement-breakpoint
CREATE TRIGGER "suppressions_followed_update" AFTER UPDATE ON "suppressions" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_suppressions();
--> statement-breakpoint
CREATE TRIGGER "suppressions_followed_delete" AFTER DELETE ON "suppressions" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_suppressions();
--> statement-breakpoint
CREATE FUNCTION "suppress_new_people"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'UPDATE people p SET suppression = s.cause FROM new_rows n JOIN suppressions s ON s.address_key = n.address_key WHERE p.id = n.id';
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "people_suppressed_insert" AFTER INSERT ON "people" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION suppress_new_people();
--> statement-breakpoint
CREATE FUNCTION "suppress_moved_person"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.suppression := (SELECT cause FROM suppressions WHERE address_key = NEW.address_key);
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER "people_suppressed_move" BEFORE UPDATE OF "address_key" ON "people" FOR EACH ROW WHEN (OLD.address_key IS DISTINCT FROM NEW.address_key) EXECUTE FUNCTION suppress_moved_person();
--> statement-breakpoint
-- What stands already, with the triggers off: the sums are made anew below.
ALTER TABLE "people" DISABLE TRIGGER USER;
--> statement-breakpoint
UPDATE deliveries SET is_kept = true WHERE state = 'sent' AND server_reply = 'Kept in the outbox';
--> statement-breakpoint
UPDATE batches b SET mails_kept = k.n FROM (SELECT batch_id, count(*) AS n FROM deliveries WHERE is_kept AND batch_id IS NOT NULL GROUP BY batch_id) k WHERE b.id = k.batch_id;
--> statement-breakpoint
UPDATE people p SET delivery_is_kept = true FROM deliveries d WHERE d.id = p.delivery_id AND d.is_kept;
--> statement-breakpoint
UPDATE people p SET was_handed_over = true WHERE EXISTS (SELECT FROM deliveries d WHERE d.person_id = p.id AND d.state = 'sent' AND NOT d.is_kept);
--> statement-breakpoint
UPDATE people p SET suppression = s.cause FROM suppressions s WHERE s.address_key = p.address_key;
--> statement-breakpoint
ALTER TABLE "people" ENABLE TRIGGER USER;
--> statement-breakpoint
DELETE FROM people_counts;
--> statement-breakpoint
INSERT INTO people_counts (stage, delivery, expires_at, is_kept, was_invited, was_handed_over, people)
  SELECT stage, delivery, CASE WHEN stage = 'invited' THEN invitation_expires_at END, coalesce(delivery = 'sent' AND delivery_is_kept, false),
    invitation_id IS NOT NULL, was_handed_over, count(*)
  FROM people GROUP BY 1, 2, 3, 4, 5, 6;
--> statement-breakpoint
UPDATE team_members t SET delivery = p.delivery FROM people p WHERE p.id = t.person_id AND t.delivery IS DISTINCT FROM p.delivery;
--> statement-breakpoint
DELETE FROM team_counts;
--> statement-breakpoint
INSERT INTO team_counts (team_id, stage, expires_at, people, is_sum)
  SELECT team_id, stage, CASE WHEN stage = 'invited' THEN expires_at END, count(*), true FROM team_members WHERE in_directory GROUP BY 1, 2, 3;
