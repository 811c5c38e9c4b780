CREATE TABLE "selection_people" (
	"selection_id" bigint,
	"person_id" bigint,
	CONSTRAINT "selection_people_pkey" PRIMARY KEY("selection_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "team_counts" (
	"team_id" bigint NOT NULL,
	"stage" text NOT NULL,
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
DROP TABLE "selection_items";--> statement-breakpoint
ALTER TABLE "selections" ADD COLUMN "people" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "selections" DROP COLUMN "filter";--> statement-breakpoint
ALTER TABLE "selections" DROP COLUMN "mode";--> statement-breakpoint
CREATE INDEX "selections_created" ON "selections" ("created_at");--> statement-breakpoint
CREATE INDEX "team_counts_team" ON "team_counts" ("team_id");--> statement-breakpoint
CREATE INDEX "team_counts_new" ON "team_counts" ("team_id") WHERE not "is_sum";--> statement-breakpoint
CREATE INDEX "team_members_person" ON "team_members" ("person_id");
--> statement-breakpoint
-- The people of each team as its pages read them. Statements are written as text so that each is planned when it runs:
-- a plan made once, for one row, costs the square of the rows ever after.
CREATE FUNCTION "sorted_name"("name" text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT CASE WHEN name ~ '^[ -~]*$' THEN lower(name) ELSE regexp_replace(normalize(lower(name), NFD), '[\u0300-\u036f]', '', 'g') END $$;
--> statement-breakpoint
CREATE FUNCTION "section_of"("value" text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT coalesce(nullif(left(btrim(value), 200), ''), '(none)') $$;
--> statement-breakpoint
CREATE FUNCTION "follow_memberships"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- one change of a team after the other: each sees what the one before has left
    PERFORM FROM teams WHERE id IN (SELECT team_id FROM new_rows) ORDER BY id FOR NO KEY UPDATE;
    EXECUTE 'INSERT INTO team_members (team_id, person_id, in_directory, department, title, sort, searched, stage, expires_at, delivery)
      SELECT n.team_id, p.id, n.in_directory, section_of(p.department), section_of(p.title), sorted_name(coalesce(p.name, p.email)),
        p.address_key || E''\n'' || lower(coalesce(p.name, '''')) || E''\n'' || lower(coalesce(p.title, '''')),
        p.stage, p.invitation_expires_at, p.delivery_state
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
CREATE TRIGGER "memberships_followed_insert" AFTER INSERT ON "memberships" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_memberships();
--> statement-breakpoint
CREATE TRIGGER "memberships_followed_delete" AFTER DELETE ON "memberships" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_memberships();
--> statement-breakpoint
-- One index probe for a person in no team. What did not change is not written.
CREATE FUNCTION "follow_people"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'UPDATE team_members t SET department = section_of(p.department), title = section_of(p.title),
      sort = sorted_name(coalesce(p.name, p.email)),
      searched = p.address_key || E''\n'' || lower(coalesce(p.name, '''')) || E''\n'' || lower(coalesce(p.title, '''')),
      stage = p.stage, expires_at = p.invitation_expires_at, delivery = p.delivery_state
    FROM new_rows p
    WHERE t.person_id = p.id
      AND (t.stage, t.expires_at, t.delivery, t.department, t.title, t.sort, t.searched) IS DISTINCT FROM
        (p.stage, p.invitation_expires_at, p.delivery_state, section_of(p.department), section_of(p.title),
          sorted_name(coalesce(p.name, p.email)), p.address_key || E''\n'' || lower(coalesce(p.name, '''')) || E''\n'' || lower(coalesce(p.title, '''')))';
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "people_followed" AFTER UPDATE ON "people" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_people();
--> statement-breakpoint
CREATE FUNCTION "count_team_members"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO team_counts (team_id, stage, people)
      SELECT team_id, stage, count(*) FROM new_rows WHERE in_directory GROUP BY 1, 2;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO team_counts (team_id, stage, people)
      SELECT team_id, stage, -count(*) FROM old_rows WHERE in_directory GROUP BY 1, 2;
  ELSE
    INSERT INTO team_counts (team_id, stage, people)
      SELECT team_id, stage, sum(n) FROM (
        SELECT team_id, stage, 1 AS n FROM new_rows WHERE in_directory
        UNION ALL SELECT team_id, stage, -1 FROM old_rows WHERE in_directory
      ) moved GROUP BY 1, 2 HAVING sum(n) <> 0;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "team_members_counted_insert" AFTER INSERT ON "team_members" REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_team_members();
--> statement-breakpoint
CREATE TRIGGER "team_members_counted_update" AFTER UPDATE ON "team_members" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_team_members();
--> statement-breakpoint
CREATE TRIGGER "team_members_counted_delete" AFTER DELETE ON "team_members" REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_team_members();
--> statement-breakpoint
-- Room for the next version of a row: a mail changes it twice, and no index with it.
ALTER TABLE "team_members" SET (fillfactor = 80);
--> statement-breakpoint
INSERT INTO team_members (team_id, person_id, in_directory, department, title, sort, searched, stage, expires_at, delivery)
  SELECT m.team_id, p.id, bool_or(m.source = 'directory'), section_of(p.department), section_of(p.title), sorted_name(coalesce(p.name, p.email)),
    p.address_key || E'\n' || lower(coalesce(p.name, '')) || E'\n' || lower(coalesce(p.title, '')), p.stage, p.invitation_expires_at, p.delivery_state
  FROM memberships m JOIN people p ON p.id = m.person_id GROUP BY m.team_id, p.id;
