-- The functions and triggers that the migrations have made: drizzle-kit does not know them. Change them here and in a new
-- migration; test/db/migrate.test.ts compares both.

-- Counts also by whether the address gets no email, the person was ever invited, and any email was ever sent.
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

-- Members of each team as its pages read them. Statements are text, so that each is planned when it runs: a plan made once
-- for one row takes quadratic time for many.
CREATE OR REPLACE FUNCTION "sorted_name"("name" text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT CASE WHEN name ~ '^[ -~]*$' THEN lower(name) ELSE regexp_replace(normalize(lower(name), NFD), '[\u0300-\u036f]', '', 'g') END $$;

CREATE OR REPLACE FUNCTION "section_of"("value" text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT coalesce(nullif(left(btrim(value), 200), ''), '(none)') $$;

-- Members of teams are found by the same columns as people.
CREATE OR REPLACE FUNCTION "follow_memberships"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- one change of a team after the other: each sees what the one before has left
    PERFORM FROM teams WHERE id IN (SELECT team_id FROM new_rows) ORDER BY id FOR NO KEY UPDATE;
    EXECUTE 'INSERT INTO team_members (team_id, person_id, in_directory, department, title, sort, searched, stage, expires_at, delivery)
      SELECT n.team_id, p.id, n.in_directory, section_of(p.department), section_of(p.title), sorted_name(coalesce(p.name, p.email)),
        p.address_key || E''\n'' || lower(coalesce(p.name, '''')) || E''\n'' || lower(coalesce(p.title, '''')) || coalesce(E''\n'' || p.also_found_by, ''''),
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

CREATE OR REPLACE FUNCTION "follow_people"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'UPDATE team_members t SET department = section_of(p.department), title = section_of(p.title),
      sort = sorted_name(coalesce(p.name, p.email)),
      searched = p.address_key || E''\n'' || lower(coalesce(p.name, '''')) || E''\n'' || lower(coalesce(p.title, '''')) || coalesce(E''\n'' || p.also_found_by, ''''),
      stage = p.stage, expires_at = p.invitation_expires_at, delivery = p.delivery
    FROM new_rows p
    WHERE t.person_id = p.id
      AND (t.stage, t.expires_at, t.delivery, t.department, t.title, t.sort, t.searched) IS DISTINCT FROM
        (p.stage, p.invitation_expires_at, p.delivery, section_of(p.department), section_of(p.title),
          sorted_name(coalesce(p.name, p.email)), p.address_key || E''\n'' || lower(coalesce(p.name, '''')) || E''\n'' || lower(coalesce(p.title, '''')) || coalesce(E''\n'' || p.also_found_by, ''''))';
  RETURN NULL;
END $$;

-- Expired invitations no longer count as waiting, in a group's row and on its page.
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

-- Copies why an address gets no email to its person, so that lists filter and count without a second table.
CREATE OR REPLACE FUNCTION "follow_suppressions"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    EXECUTE 'UPDATE people p SET suppression = NULL FROM old_rows o WHERE p.address_key = o.address_key';
  ELSE
    EXECUTE 'UPDATE people p SET suppression = n.cause FROM new_rows n WHERE p.address_key = n.address_key';
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION "suppress_new_people"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'UPDATE people p SET suppression = s.cause FROM new_rows n JOIN suppressions s ON s.address_key = n.address_key WHERE p.id = n.id';
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION "suppress_moved_person"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.suppression := (SELECT cause FROM suppressions WHERE address_key = NEW.address_key);
  RETURN NEW;
END $$;

-- An address with its domain in readable form (RFC 3492), for searches: "jo@xn--mller-kva.example" is found by "müll".
-- NULL where the domain is readable already; a label that is no Punycode stays as it is.
CREATE OR REPLACE FUNCTION "readable_address"("address" text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  labels text[];
  input text;
  output text;
  digit int;
  n bigint;
  i bigint;
  i_before bigint;
  weight bigint;
  bias bigint;
  threshold bigint;
  k bigint;
  delta bigint;
  size int;
BEGIN
  IF strpos(address, 'xn--') = 0 THEN RETURN NULL; END IF;
  labels := string_to_array(split_part(address, '@', 2), '.');
  <<each_label>>
  FOR l IN 1 .. cardinality(labels) LOOP
    IF left(labels[l], 4) <> 'xn--' THEN CONTINUE; END IF;
    input := substr(labels[l], 5);
    output := '';
    IF strpos(input, '-') > 0 THEN
      output := substring(input FROM '^(.*)-');
      input := substr(input, length(output) + 2);
    END IF;
    n := 128;
    i := 0;
    bias := 72;
    WHILE input <> '' LOOP
      i_before := i;
      weight := 1;
      k := 36;
      LOOP
        digit := strpos('abcdefghijklmnopqrstuvwxyz0123456789', left(input, 1)) - 1;
        IF input = '' OR digit < 0 OR i > 1e9 OR weight > 1e9 THEN CONTINUE each_label; END IF;
        input := substr(input, 2);
        i := i + digit * weight;
        threshold := least(greatest(k - bias, 1), 26);
        EXIT WHEN digit < threshold;
        weight := weight * (36 - threshold);
        k := k + 36;
      END LOOP;
      size := length(output) + 1;
      delta := (i - i_before) / (CASE WHEN i_before = 0 THEN 700 ELSE 2 END);
      delta := delta + delta / size;
      k := 0;
      WHILE delta > 455 LOOP
        delta := delta / 35;
        k := k + 36;
      END LOOP;
      bias := k + 36 * delta / (delta + 38);
      n := n + i / size;
      i := i % size;
      IF n > 1114111 OR n BETWEEN 55296 AND 57343 THEN CONTINUE each_label; END IF;
      output := left(output, i::int) || chr(n::int) || substr(output, i::int + 1);
      i := i + 1;
    END LOOP;
    IF output <> '' THEN labels[l] := output; END IF;
  END LOOP;
  RETURN split_part(address, '@', 1) || '@' || array_to_string(labels, '.');
END $$;

-- The audit trail can only grow, for every role.
CREATE OR REPLACE FUNCTION "keep_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are never changed or deleted' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER "people_counted_insert" AFTER INSERT ON "people" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_people();
CREATE TRIGGER "people_counted_update" AFTER UPDATE ON "people" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_people();
CREATE TRIGGER "people_counted_delete" AFTER DELETE ON "people" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_people();
CREATE TRIGGER "memberships_followed_insert" AFTER INSERT ON "memberships" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_memberships();
CREATE TRIGGER "memberships_followed_delete" AFTER DELETE ON "memberships" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_memberships();
CREATE TRIGGER "people_followed" AFTER UPDATE ON "people" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_people();
CREATE TRIGGER "team_members_counted_insert" AFTER INSERT ON "team_members" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_team_members();
CREATE TRIGGER "team_members_counted_update" AFTER UPDATE ON "team_members" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_team_members();
CREATE TRIGGER "team_members_counted_delete" AFTER DELETE ON "team_members" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_team_members();
CREATE TRIGGER "suppressions_followed_insert" AFTER INSERT ON "suppressions" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_suppressions();
CREATE TRIGGER "suppressions_followed_update" AFTER UPDATE ON "suppressions" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_suppressions();
CREATE TRIGGER "suppressions_followed_delete" AFTER DELETE ON "suppressions" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_suppressions();
CREATE TRIGGER "people_suppressed_insert" AFTER INSERT ON "people" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION suppress_new_people();
CREATE TRIGGER "people_suppressed_move" BEFORE UPDATE OF "address_key" ON "people" FOR EACH ROW WHEN (OLD.address_key IS DISTINCT FROM NEW.address_key) EXECUTE FUNCTION suppress_moved_person();
CREATE TRIGGER "events_kept" BEFORE UPDATE OR DELETE OR TRUNCATE ON "events" FOR EACH STATEMENT EXECUTE FUNCTION keep_events();
ALTER TABLE "events" ENABLE ALWAYS TRIGGER "events_kept";
