-- An address with its domain in readable form (RFC 3492), for searches: "jo@xn--mller-kva.example" is found by "müll".
-- NULL where the domain is readable already; a label that is no Punycode stays as it is.
CREATE FUNCTION "readable_address"("address" text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
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
--> statement-breakpoint
DROP INDEX "people_directory_mail_search";--> statement-breakpoint
ALTER TABLE "people" ADD COLUMN "also_found_by" text GENERATED ALWAYS AS (case when directory_mail_key is not null or strpos(address_key, 'xn--') > 0 then coalesce(readable_address(address_key), '') || E'\n' || coalesce(directory_mail_key, '') || E'\n' || coalesce(readable_address(directory_mail_key), '') end) STORED;--> statement-breakpoint
ALTER TABLE "recipients" ADD COLUMN "corrected_to" text;--> statement-breakpoint
ALTER TABLE "recipients" ADD COLUMN "also_found_by" text GENERATED ALWAYS AS (case when corrected_to is not null or strpos(address_key, 'xn--') > 0 then coalesce(address_key, '') || E'\n' || coalesce(lower(corrected_to), '') || E'\n' || coalesce(readable_address(lower(corrected_to)), '') || E'\n' || coalesce(readable_address(address_key), '') end) STORED;--> statement-breakpoint
CREATE INDEX "people_also_found_by" ON "people" USING gin (also_found_by gin_trgm_ops) WHERE "also_found_by" is not null;--> statement-breakpoint
CREATE INDEX "recipients_also_found_by" ON "recipients" USING gin (also_found_by gin_trgm_ops) WHERE "also_found_by" is not null;--> statement-breakpoint
-- Members of teams are found by the same as people.
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
--> statement-breakpoint
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
--> statement-breakpoint
UPDATE team_members t SET searched = t.searched || E'\n' || p.also_found_by FROM people p WHERE p.id = t.person_id AND p.also_found_by IS NOT NULL;
--> statement-breakpoint
UPDATE recipients SET corrected_to = address WHERE corrected_in = batch_id;
