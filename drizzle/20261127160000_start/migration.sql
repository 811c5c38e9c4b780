-- Searching for any part of a name or an address needs trigrams. The extension is "trusted": the owner of the database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
--> statement-breakpoint
-- Counts by what decides: whether an address gets no mail, whether somebody was ever invited, and whether a mail ever left.
CREATE FUNCTION "count_people"() RETURNS trigger LANGUAGE plpgsql AS $$
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
-- The people of each team as its pages read them. Statements are written as text so that each is planned when it runs:
-- a plan made once, for one row, costs the square of the rows ever after.
CREATE FUNCTION "sorted_name"("name" text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT CASE WHEN name ~ '^[ -~]*$' THEN lower(name) ELSE regexp_replace(normalize(lower(name), NFD), '[\u0300-\u036f]', '', 'g') END $$;
--> statement-breakpoint
CREATE FUNCTION "section_of"("value" text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT coalesce(nullif(left(btrim(value), 200), ''), '(none)') $$;
--> statement-breakpoint
-- Members of teams are found by the same as people.
CREATE FUNCTION "follow_memberships"() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE FUNCTION "follow_people"() RETURNS trigger LANGUAGE plpgsql AS $$
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
-- An invitation that has expired is not waiting any more, in a group's row as on its page.
CREATE FUNCTION "count_team_members"() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE FUNCTION "suppress_new_people"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'UPDATE people p SET suppression = s.cause FROM new_rows n JOIN suppressions s ON s.address_key = n.address_key WHERE p.id = n.id';
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION "suppress_moved_person"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.suppression := (SELECT cause FROM suppressions WHERE address_key = NEW.address_key);
  RETURN NEW;
END $$;
--> statement-breakpoint
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
CREATE TABLE "batch_chunks" (
	"batch_id" bigint,
	"first_line" integer,
	"line_numbers" text NOT NULL,
	"texts" text NOT NULL,
	"addresses" text NOT NULL,
	"address_keys" text NOT NULL,
	"verdicts" text NOT NULL,
	"reasons" text NOT NULL,
	"suggestions" text NOT NULL,
	CONSTRAINT "batch_chunks_pkey" PRIMARY KEY("batch_id","first_line")
);
--> statement-breakpoint
CREATE TABLE "batch_samples" (
	"batch_id" bigint,
	"at" timestamp with time zone DEFAULT now(),
	"settled" integer NOT NULL,
	CONSTRAINT "batch_samples_pkey" PRIMARY KEY("batch_id","at")
);
--> statement-breakpoint
CREATE TABLE "batch_teams" (
	"batch_id" bigint,
	"team_id" bigint,
	CONSTRAINT "batch_teams_pkey" PRIMARY KEY("batch_id","team_id")
);
--> statement-breakpoint
CREATE TABLE "batches" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "batches_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"source" text NOT NULL,
	"state" text NOT NULL,
	"action" text NOT NULL,
	"file_name" text,
	"created_by" bigint NOT NULL,
	"sent_by" bigint,
	"corrects_batch_id" bigint,
	"rest_of_batch_id" bigint,
	"group_id" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	"checked_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"stop_reason" text,
	"lease_until" timestamp with time zone,
	"failures" smallint DEFAULT 0 NOT NULL,
	"sent_through_line" integer DEFAULT 0 NOT NULL,
	"lines" integer DEFAULT 0 NOT NULL,
	"judged" integer DEFAULT 0 NOT NULL,
	"malformed" integer DEFAULT 0 NOT NULL,
	"foreign" integer DEFAULT 0 NOT NULL,
	"duplicate" integer DEFAULT 0 NOT NULL,
	"active" integer DEFAULT 0 NOT NULL,
	"deactivated" integer DEFAULT 0 NOT NULL,
	"suppressed" integer DEFAULT 0 NOT NULL,
	"pending" integer DEFAULT 0 NOT NULL,
	"invite" integer DEFAULT 0 NOT NULL,
	"mails_queued" integer DEFAULT 0 NOT NULL,
	"mails_sending" integer DEFAULT 0 NOT NULL,
	"mails_held" integer DEFAULT 0 NOT NULL,
	"mails_sent" integer DEFAULT 0 NOT NULL,
	"mails_kept" integer DEFAULT 0 NOT NULL,
	"mails_deferred" integer DEFAULT 0 NOT NULL,
	"mails_failed" integer DEFAULT 0 NOT NULL,
	"mails_unknown" integer DEFAULT 0 NOT NULL,
	"mails_bounced" integer DEFAULT 0 NOT NULL,
	"mails_suppressed" integer DEFAULT 0 NOT NULL,
	"mails_cancelled" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "batches_state" CHECK ("state" in ('receiving', 'incomplete', 'checking', 'checked', 'sending', 'paused', 'stopped', 'cancelled', 'done')),
	CONSTRAINT "batches_source" CHECK ("source" in ('typed', 'file', 'group', 'correction'))
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "deliveries_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text DEFAULT 'invitation' NOT NULL,
	"person_id" bigint NOT NULL,
	"invitation_id" bigint,
	"batch_id" bigint,
	"address" text NOT NULL,
	"state" text DEFAULT 'queued' NOT NULL,
	"priority" smallint DEFAULT 0 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone DEFAULT now() NOT NULL,
	"lease_until" timestamp with time zone,
	"message_id" text,
	"server_reply" text,
	"is_kept" boolean DEFAULT false NOT NULL,
	"may_have_arrived" boolean DEFAULT false NOT NULL,
	"queued_at" timestamp with time zone DEFAULT now() NOT NULL,
	"settled_at" timestamp with time zone,
	CONSTRAINT "deliveries_state" CHECK ("state" in ('queued', 'sending', 'held', 'sent', 'deferred', 'failed', 'unknown', 'bounced', 'suppressed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "directory_groups" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "directory_groups_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"directory_id" text NOT NULL,
	"dn" text NOT NULL,
	"name" text NOT NULL,
	"mail" text,
	"description" text,
	"kind" text NOT NULL,
	"team_id" bigint NOT NULL,
	"member_count" integer DEFAULT 0 NOT NULL,
	"synced_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_run_id" bigint,
	"last_good_run_id" bigint,
	"last_good_at" timestamp with time zone,
	"fingerprint" text,
	"compared_at" timestamp with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	"next_run_at" timestamp with time zone DEFAULT now() NOT NULL,
	"stopped_at" timestamp with time zone,
	CONSTRAINT "directory_groups_kind" CHECK ("kind" in ('distribution-list', 'security-group', 'group'))
);
--> statement-breakpoint
CREATE TABLE "directory_settings" (
	"id" smallint PRIMARY KEY DEFAULT 1,
	"url" text DEFAULT '' NOT NULL,
	"starttls" boolean DEFAULT true NOT NULL,
	"ca" text,
	"bind_dn" text DEFAULT '' NOT NULL,
	"bind_password" bytea,
	"password_for" text,
	"base_dn" text DEFAULT '' NOT NULL,
	"people_filter" text,
	"group_filter" text,
	"nested" boolean DEFAULT true NOT NULL,
	"interval_minutes" integer DEFAULT 60 NOT NULL,
	"allow_plain" boolean DEFAULT false NOT NULL,
	"attributes" jsonb DEFAULT '{}' NOT NULL,
	"exclusions" jsonb DEFAULT '[]' NOT NULL,
	"deactivate_leavers" boolean DEFAULT false NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "directory_settings_one_row" CHECK ("id" = 1)
);
--> statement-breakpoint
CREATE TABLE "domains" (
	"name" text PRIMARY KEY
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"kind" text NOT NULL,
	"actor_id" bigint,
	"actor_name" text,
	"actor_email" text,
	"person_id" bigint,
	"person_name" text,
	"person_email" text,
	"batch_id" bigint,
	"details" jsonb DEFAULT '{}' NOT NULL,
	"address" text
);
--> statement-breakpoint
CREATE TABLE "former_links" (
	"token_hash" bytea PRIMARY KEY,
	"invitation_id" bigint NOT NULL,
	"replaced_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "invitations" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "invitations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"person_id" bigint NOT NULL,
	"batch_id" bigint,
	"invited_by" bigint,
	"role" text DEFAULT 'member' NOT NULL,
	"role_granted_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"nonce" bytea,
	"token_hash" bytea,
	"accepted_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"superseded_at" timestamp with time zone,
	"never_sent" boolean DEFAULT false NOT NULL,
	"requested_at" timestamp with time zone,
	CONSTRAINT "invitations_role" CHECK ("role" in ('member', 'auditor', 'admin', 'owner'))
);
--> statement-breakpoint
CREATE TABLE "left_out" (
	"group_id" bigint,
	"directory_id" text,
	"reason" text NOT NULL,
	"name" text,
	"dn" text NOT NULL,
	"mail" text,
	"person_id" bigint,
	CONSTRAINT "left_out_pkey" PRIMARY KEY("group_id","directory_id"),
	CONSTRAINT "left_out_reason" CHECK ("reason" in ('no-mail', 'malformed', 'doubled', 'taken'))
);
--> statement-breakpoint
CREATE TABLE "mail_origin" (
	"id" smallint PRIMARY KEY DEFAULT 1,
	"cluster" text,
	"database_oid" text NOT NULL,
	"key_print" text NOT NULL,
	"held_since" timestamp with time zone,
	"decision" text,
	CONSTRAINT "mail_origin_one_row" CHECK ("id" = 1)
);
--> statement-breakpoint
CREATE TABLE "mail_servers" (
	"server" text PRIMARY KEY,
	"connections" integer,
	"connections_try_at" timestamp with time zone,
	"connections_refused" smallint DEFAULT 0 NOT NULL,
	"connections_raised" boolean DEFAULT false NOT NULL,
	"mails_per_connection" integer,
	"per_minute" double precision,
	"per_minute_try_at" timestamp with time zone,
	"per_minute_refused" smallint DEFAULT 0 NOT NULL,
	"per_minute_raised" boolean DEFAULT false NOT NULL,
	"rest_until" timestamp with time zone,
	"reply" text,
	"asked_at" timestamp with time zone DEFAULT now() NOT NULL,
	"allowance" double precision DEFAULT 0 NOT NULL,
	"refilled_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mail_transport" (
	"id" smallint PRIMARY KEY DEFAULT 1,
	"paused_since" timestamp with time zone,
	"next_probe_at" timestamp with time zone,
	"reason" text,
	"per_second" integer,
	"per_domain_per_second" integer,
	"allowance" double precision DEFAULT 0 NOT NULL,
	"refilled_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "mail_transport_one_row" CHECK ("id" = 1)
);
--> statement-breakpoint
CREATE TABLE "mail_workers" (
	"worker" text PRIMARY KEY,
	"server" text NOT NULL,
	"connections" integer NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "memberships" (
	"team_id" bigint,
	"person_id" bigint,
	"source" text,
	"via" text,
	"since" timestamp with time zone DEFAULT now() NOT NULL,
	"added_by" bigint,
	CONSTRAINT "memberships_pkey" PRIMARY KEY("team_id","person_id","source"),
	CONSTRAINT "memberships_source" CHECK ("source" in ('directory', 'hand', 'invitation'))
);
--> statement-breakpoint
CREATE TABLE "people" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "people_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"email" text NOT NULL,
	"address_key" text NOT NULL,
	"name" text,
	"role" text DEFAULT 'member' NOT NULL,
	"password_hash" text,
	"theme" text DEFAULT 'system' NOT NULL,
	"time_zone" text,
	"shortcuts" boolean DEFAULT true NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"signed_up_at" timestamp with time zone,
	"deactivated_at" timestamp with time zone,
	"invitation_id" bigint,
	"invited_at" timestamp with time zone,
	"invitation_expires_at" timestamp with time zone,
	"invitation_revoked_at" timestamp with time zone,
	"delivery_id" bigint,
	"delivery_state" text,
	"delivery_is_kept" boolean DEFAULT false NOT NULL,
	"was_handed_over" boolean DEFAULT false NOT NULL,
	"suppression" text,
	"directory_id" text,
	"directory_dn" text,
	"directory_bound_at" timestamp with time zone,
	"directory_bound_by" text,
	"directory_password_at" timestamp with time zone,
	"directory_separated_at" timestamp with time zone,
	"directory_mail" text,
	"directory_mail_key" text,
	"directory_trouble" text,
	"directory_trouble_at" timestamp with time zone,
	"department" text,
	"title" text,
	"manager" text,
	"disabled_in_directory_at" timestamp with time zone,
	"gone_from_directory_at" timestamp with time zone,
	"directory_check_at" timestamp with time zone,
	"delivery" text GENERATED ALWAYS AS (case when suppression = 'opted-out' then 'suppressed' when suppression = 'bounced' and coalesce(delivery_state, '') not in ('failed', 'bounced') then 'bounced' else delivery_state end) STORED,
	"also_found_by" text GENERATED ALWAYS AS (case when directory_mail_key is not null or strpos(address_key, 'xn--') > 0 then coalesce(readable_address(address_key), '') || E'\n' || coalesce(directory_mail_key, '') || E'\n' || coalesce(readable_address(directory_mail_key), '') end) STORED,
	"stage" text GENERATED ALWAYS AS (case when deactivated_at is not null then 'deactivated' when signed_up_at is not null then 'signed-up' when invitation_id is null then 'not-invited' when invitation_revoked_at is not null then 'revoked' else 'invited' end) STORED NOT NULL,
	CONSTRAINT "people_role" CHECK ("role" in ('member', 'auditor', 'admin', 'owner')),
	CONSTRAINT "people_delivery_state" CHECK ("delivery_state" in ('queued', 'sending', 'held', 'sent', 'deferred', 'failed', 'unknown', 'bounced', 'suppressed', 'cancelled')),
	CONSTRAINT "people_directory_bound_by" CHECK ("directory_bound_by" in ('sync', 'address', 'join', 'sign-in', 'password', 'admin')),
	CONSTRAINT "people_directory_trouble" CHECK ("directory_trouble" in ('entry-missing', 'two-entries', 'entry-taken')),
	CONSTRAINT "people_deactivated_after_sign_up" CHECK ("deactivated_at" is null or "signed_up_at" is not null)
);
--> statement-breakpoint
CREATE TABLE "people_counts" (
	"stage" text NOT NULL,
	"delivery" text,
	"expires_at" timestamp with time zone,
	"is_kept" boolean DEFAULT false NOT NULL,
	"was_invited" boolean DEFAULT false NOT NULL,
	"was_handed_over" boolean DEFAULT false NOT NULL,
	"people" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "people_days" (
	"day" date NOT NULL,
	"invited" bigint NOT NULL,
	"signed_up" bigint NOT NULL
);
--> statement-breakpoint
CREATE UNLOGGED TABLE "planned" (
	"run_id" bigint,
	"n" integer,
	"person_id" bigint,
	"is_new" boolean NOT NULL,
	"wants_address" boolean DEFAULT false NOT NULL,
	"takes_address" boolean DEFAULT false NOT NULL,
	"holder_id" bigint,
	"is_excluded" boolean NOT NULL,
	"fault" text,
	CONSTRAINT "planned_pkey" PRIMARY KEY("run_id","n")
);
--> statement-breakpoint
CREATE TABLE "recipients" (
	"batch_id" bigint,
	"line" integer,
	"text" text NOT NULL,
	"address" text,
	"address_key" text,
	"verdict" text NOT NULL,
	"reason" text,
	"suggestion" text,
	"first_line" integer,
	"corrected_in" bigint,
	"corrected_to" text,
	"also_found_by" text GENERATED ALWAYS AS (case when corrected_to is not null or strpos(address_key, 'xn--') > 0 then coalesce(address_key, '') || E'\n' || coalesce(lower(corrected_to), '') || E'\n' || coalesce(readable_address(lower(corrected_to)), '') || E'\n' || coalesce(readable_address(address_key), '') end) STORED,
	CONSTRAINT "recipients_pkey" PRIMARY KEY("batch_id","line"),
	CONSTRAINT "recipients_verdict" CHECK ("verdict" in ('malformed', 'foreign', 'duplicate', 'active', 'deactivated', 'suppressed', 'pending', 'invite'))
);
--> statement-breakpoint
CREATE TABLE "selection_people" (
	"selection_id" bigint,
	"person_id" bigint,
	CONSTRAINT "selection_people_pkey" PRIMARY KEY("selection_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "selections" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "selections_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"group_id" bigint NOT NULL,
	"admin_id" bigint NOT NULL,
	"people" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"batch_id" bigint
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "sessions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"token_hash" bytea NOT NULL,
	"person_id" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"user_agent" text,
	"flash" text
);
--> statement-breakpoint
CREATE TABLE "settings" (
	"id" smallint PRIMARY KEY DEFAULT 1,
	"organization" text NOT NULL,
	"continue_url" text,
	"invitation_days" integer DEFAULT 14 NOT NULL,
	"time_zone" text DEFAULT 'UTC' NOT NULL,
	"line_days" integer DEFAULT 90 NOT NULL,
	"set_up_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "settings_one_row" CHECK ("id" = 1),
	CONSTRAINT "settings_days" CHECK ("invitation_days" between 1 and 30)
);
--> statement-breakpoint
CREATE TABLE "sign_in_failures" (
	"key" text PRIMARY KEY,
	"failures" integer NOT NULL,
	"window_started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE UNLOGGED TABLE "staging" (
	"run_id" bigint,
	"n" integer,
	"directory_id" text NOT NULL,
	"dn" text NOT NULL,
	"mail" text,
	"address" text,
	"address_key" text,
	"name" text,
	"department" text,
	"title" text,
	"manager" text,
	"is_disabled" boolean NOT NULL,
	"is_excluded" boolean NOT NULL,
	"via" text,
	CONSTRAINT "staging_pkey" PRIMARY KEY("run_id","n")
);
--> statement-breakpoint
CREATE TABLE "suppressions" (
	"address_key" text PRIMARY KEY,
	"cause" text NOT NULL,
	"server_reply" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sync_changes" (
	"run_id" bigint,
	"kind" text,
	"id" bigint GENERATED BY DEFAULT AS IDENTITY (sequence name "sync_changes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1000),
	"person_id" bigint NOT NULL,
	"detail" text,
	CONSTRAINT "sync_changes_pkey" PRIMARY KEY("run_id","kind","id"),
	CONSTRAINT "sync_changes_kind" CHECK ("kind" in ('added', 'removed', 'parked', 'changed', 'address', 'disabled', 'gone', 'back', 'deactivated', 'deactivation-parked'))
);
--> statement-breakpoint
CREATE TABLE "sync_runs" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "sync_runs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"group_id" bigint NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"cause" text NOT NULL,
	"started_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"finished_at" timestamp with time zone,
	"lease_until" timestamp with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"read" integer DEFAULT 0 NOT NULL,
	"receipt" jsonb,
	"reason" text,
	"added" integer DEFAULT 0 NOT NULL,
	"removed" integer DEFAULT 0 NOT NULL,
	"parked" integer DEFAULT 0 NOT NULL,
	"changed" integer DEFAULT 0 NOT NULL,
	"addresses" integer DEFAULT 0 NOT NULL,
	"deactivated" integer DEFAULT 0 NOT NULL,
	"deactivations_parked" integer DEFAULT 0 NOT NULL,
	"approved_by" bigint,
	"approved_at" timestamp with time zone,
	"undone_by" bigint,
	"undone_at" timestamp with time zone,
	CONSTRAINT "sync_runs_state" CHECK ("state" in ('running', 'done', 'parked', 'failed'))
);
--> statement-breakpoint
CREATE TABLE "team_counts" (
	"team_id" bigint NOT NULL,
	"stage" text NOT NULL,
	"expires_at" timestamp with time zone,
	"people" bigint NOT NULL,
	"is_sum" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "team_members" (
	"team_id" bigint,
	"person_id" bigint,
	"in_directory" boolean NOT NULL,
	"department" text collate "C" NOT NULL,
	"title" text collate "C" NOT NULL,
	"sort" text collate "C" NOT NULL,
	"searched" text collate "C" NOT NULL,
	"stage" text collate "C" NOT NULL,
	"expires_at" timestamp with time zone,
	"delivery" text collate "C",
	CONSTRAINT "team_members_pkey" PRIMARY KEY("team_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "teams" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "teams_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"source" text NOT NULL,
	"member_count" integer DEFAULT 0 NOT NULL,
	"created_by" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"removed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE INDEX "batches_state" ON "batches" ("state");--> statement-breakpoint
CREATE INDEX "batches_corrects" ON "batches" ("corrects_batch_id") WHERE "corrects_batch_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "batches_rest_of" ON "batches" ("rest_of_batch_id") WHERE "rest_of_batch_id" is not null;--> statement-breakpoint
CREATE INDEX "deliveries_due" ON "deliveries" ("batch_id","priority","next_attempt_at") WHERE "state" in ('queued', 'deferred');--> statement-breakpoint
CREATE INDEX "deliveries_leased" ON "deliveries" ("lease_until") WHERE "state" = 'sending';--> statement-breakpoint
CREATE INDEX "deliveries_held" ON "deliveries" ("id") WHERE "state" = 'held';--> statement-breakpoint
CREATE INDEX "deliveries_person" ON "deliveries" ("person_id");--> statement-breakpoint
CREATE INDEX "deliveries_single" ON "deliveries" ("state") WHERE "batch_id" is null;--> statement-breakpoint
CREATE INDEX "deliveries_batch" ON "deliveries" ("batch_id","state") WHERE "batch_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "directory_groups_directory_id" ON "directory_groups" ("directory_id");--> statement-breakpoint
CREATE UNIQUE INDEX "directory_groups_team" ON "directory_groups" ("team_id");--> statement-breakpoint
CREATE INDEX "directory_groups_name" ON "directory_groups" (lower("name"),"id") WHERE "stopped_at" is null;--> statement-breakpoint
CREATE INDEX "directory_groups_due" ON "directory_groups" ("next_run_at") WHERE "stopped_at" is null;--> statement-breakpoint
CREATE INDEX "events_person" ON "events" ("person_id");--> statement-breakpoint
CREATE INDEX "events_batch" ON "events" ("batch_id");--> statement-breakpoint
CREATE INDEX "events_at" ON "events" ("at");--> statement-breakpoint
CREATE INDEX "events_kind" ON "events" ("kind","id");--> statement-breakpoint
CREATE INDEX "events_actor" ON "events" ("actor_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "invitations_token_hash" ON "invitations" ("token_hash") WHERE "token_hash" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "invitations_one_open" ON "invitations" ("person_id") WHERE "accepted_at" is null and "revoked_at" is null and "superseded_at" is null;--> statement-breakpoint
CREATE INDEX "invitations_person" ON "invitations" ("person_id");--> statement-breakpoint
CREATE INDEX "invitations_requested" ON "invitations" ("requested_at") WHERE "requested_at" is not null;--> statement-breakpoint
CREATE INDEX "left_out_person" ON "left_out" ("person_id") WHERE "person_id" is not null;--> statement-breakpoint
CREATE INDEX "memberships_person" ON "memberships" ("person_id");--> statement-breakpoint
CREATE UNIQUE INDEX "people_address_key" ON "people" ("address_key");--> statement-breakpoint
CREATE UNIQUE INDEX "people_directory_id" ON "people" ("directory_id") WHERE "directory_id" is not null;--> statement-breakpoint
CREATE INDEX "people_stage" ON "people" ("stage","address_key");--> statement-breakpoint
CREATE INDEX "people_expiry" ON "people" ("invitation_expires_at") WHERE "stage" = 'invited';--> statement-breakpoint
CREATE INDEX "people_search" ON "people" USING gin (("address_key" || E'\n' || lower(coalesce("name", ''))) gin_trgm_ops);--> statement-breakpoint
CREATE INDEX "people_directory_check" ON "people" ("directory_check_at") WHERE "directory_check_at" is not null;--> statement-breakpoint
CREATE INDEX "people_leavers" ON "people" ("id") WHERE "disabled_in_directory_at" is not null or "gone_from_directory_at" is not null;--> statement-breakpoint
CREATE INDEX "people_directory_mail" ON "people" ("directory_mail_key","id") WHERE "directory_mail_key" is not null;--> statement-breakpoint
CREATE INDEX "people_also_found_by" ON "people" USING gin (also_found_by gin_trgm_ops) WHERE "also_found_by" is not null;--> statement-breakpoint
CREATE INDEX "people_directory_trouble" ON "people" ("id") WHERE "directory_trouble" is not null;--> statement-breakpoint
CREATE INDEX "people_suppressed" ON "people" ("id") WHERE "suppression" is not null;--> statement-breakpoint
CREATE INDEX "people_console" ON "people" ("role") WHERE "role" <> 'member';--> statement-breakpoint
CREATE UNIQUE INDEX "recipients_first_of_address" ON "recipients" ("batch_id","address_key") WHERE "verdict" not in ('malformed', 'foreign', 'duplicate');--> statement-breakpoint
CREATE INDEX "recipients_verdict" ON "recipients" ("batch_id","verdict","line");--> statement-breakpoint
CREATE INDEX "recipients_corrected" ON "recipients" ("batch_id","line") WHERE "corrected_in" is not null;--> statement-breakpoint
CREATE INDEX "recipients_search" ON "recipients" USING gin (lower("text") gin_trgm_ops);--> statement-breakpoint
CREATE INDEX "recipients_also_found_by" ON "recipients" USING gin (also_found_by gin_trgm_ops) WHERE "also_found_by" is not null;--> statement-breakpoint
CREATE INDEX "selections_created" ON "selections" ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "sessions_token_hash" ON "sessions" ("token_hash");--> statement-breakpoint
CREATE INDEX "sessions_person" ON "sessions" ("person_id");--> statement-breakpoint
CREATE INDEX "sync_changes_person" ON "sync_changes" ("person_id") WHERE "kind" not in ('added', 'changed');--> statement-breakpoint
CREATE UNIQUE INDEX "sync_runs_one_running" ON "sync_runs" ("group_id") WHERE "state" = 'running';--> statement-breakpoint
CREATE INDEX "sync_runs_group" ON "sync_runs" ("group_id","id");--> statement-breakpoint
CREATE INDEX "sync_runs_finished" ON "sync_runs" ("finished_at");--> statement-breakpoint
CREATE INDEX "team_counts_team" ON "team_counts" ("team_id");--> statement-breakpoint
CREATE INDEX "team_counts_new" ON "team_counts" ("team_id") WHERE not "is_sum";--> statement-breakpoint
CREATE INDEX "team_members_person" ON "team_members" ("person_id");--> statement-breakpoint
CREATE INDEX "teams_name" ON "teams" (lower("name"),"id") WHERE "removed_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "teams_hand_name" ON "teams" (lower("name")) WHERE "source" = 'hand' and "removed_at" is null;--> statement-breakpoint
ALTER TABLE "batch_chunks" ADD CONSTRAINT "batch_chunks_batch_id_batches_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "batches"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "batch_samples" ADD CONSTRAINT "batch_samples_batch_id_batches_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "batches"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "batch_teams" ADD CONSTRAINT "batch_teams_batch_id_batches_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "batches"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "batches" ADD CONSTRAINT "batches_created_by_people_id_fkey" FOREIGN KEY ("created_by") REFERENCES "people"("id");--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_person_id_people_id_fkey" FOREIGN KEY ("person_id") REFERENCES "people"("id");--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_invitation_id_invitations_id_fkey" FOREIGN KEY ("invitation_id") REFERENCES "invitations"("id");--> statement-breakpoint
ALTER TABLE "directory_groups" ADD CONSTRAINT "directory_groups_team_id_teams_id_fkey" FOREIGN KEY ("team_id") REFERENCES "teams"("id");--> statement-breakpoint
ALTER TABLE "former_links" ADD CONSTRAINT "former_links_invitation_id_invitations_id_fkey" FOREIGN KEY ("invitation_id") REFERENCES "invitations"("id");--> statement-breakpoint
ALTER TABLE "invitations" ADD CONSTRAINT "invitations_person_id_people_id_fkey" FOREIGN KEY ("person_id") REFERENCES "people"("id");--> statement-breakpoint
ALTER TABLE "recipients" ADD CONSTRAINT "recipients_batch_id_batches_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "batches"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "selections" ADD CONSTRAINT "selections_group_id_directory_groups_id_fkey" FOREIGN KEY ("group_id") REFERENCES "directory_groups"("id");--> statement-breakpoint
ALTER TABLE "selections" ADD CONSTRAINT "selections_admin_id_people_id_fkey" FOREIGN KEY ("admin_id") REFERENCES "people"("id");--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_person_id_people_id_fkey" FOREIGN KEY ("person_id") REFERENCES "people"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "sync_runs" ADD CONSTRAINT "sync_runs_group_id_directory_groups_id_fkey" FOREIGN KEY ("group_id") REFERENCES "directory_groups"("id");
--> statement-breakpoint
CREATE TRIGGER "people_counted_insert" AFTER INSERT ON "people" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_people();
--> statement-breakpoint
CREATE TRIGGER "people_counted_update" AFTER UPDATE ON "people" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_people();
--> statement-breakpoint
CREATE TRIGGER "people_counted_delete" AFTER DELETE ON "people" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_people();
--> statement-breakpoint
CREATE TRIGGER "memberships_followed_insert" AFTER INSERT ON "memberships" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_memberships();
--> statement-breakpoint
CREATE TRIGGER "memberships_followed_delete" AFTER DELETE ON "memberships" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_memberships();
--> statement-breakpoint
CREATE TRIGGER "people_followed" AFTER UPDATE ON "people" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_people();
--> statement-breakpoint
CREATE TRIGGER "team_members_counted_insert" AFTER INSERT ON "team_members" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_team_members();
--> statement-breakpoint
CREATE TRIGGER "team_members_counted_update" AFTER UPDATE ON "team_members" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_team_members();
--> statement-breakpoint
CREATE TRIGGER "team_members_counted_delete" AFTER DELETE ON "team_members" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_team_members();
--> statement-breakpoint
CREATE TRIGGER "suppressions_followed_insert" AFTER INSERT ON "suppressions" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_suppressions();
--> statement-breakpoint
CREATE TRIGGER "suppressions_followed_update" AFTER UPDATE ON "suppressions" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_suppressions();
--> statement-breakpoint
CREATE TRIGGER "suppressions_followed_delete" AFTER DELETE ON "suppressions" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_suppressions();
--> statement-breakpoint
CREATE TRIGGER "people_suppressed_insert" AFTER INSERT ON "people" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION suppress_new_people();
--> statement-breakpoint
CREATE TRIGGER "people_suppressed_move" BEFORE UPDATE OF "address_key" ON "people" FOR EACH ROW WHEN (OLD.address_key IS DISTINCT FROM NEW.address_key) EXECUTE FUNCTION suppress_moved_person();
--> statement-breakpoint
ALTER TABLE "people" SET (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE "team_members" SET (fillfactor = 80);
