import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { int, oneOf, orNull, rowsOf, text } from '../db/rows.ts'
import { directoryTroubles, roles } from '../db/schema.ts'
import { isUnanswered } from '../invitations/conditions.ts'
import { first } from '../lib/ends.ts'
import type { Role } from '../lib/role.ts'
import { enrollmentOf } from '../people/conditions.ts'
import type { DirectoryTrouble } from '../people/entry-store.ts'
import { type Enrollment, enrollments } from '../people/person.ts'

export interface OtherEntry {
  entryId: string
  dn: string
  name: string | null
  group: string
}

/** Entries of synced groups that were left out because this person has their address here. */
export async function otherEntriesOf(db: Db, personId: number, limit = 20): Promise<OtherEntry[]> {
  return rowsOf(db, { entryId: text, dn: text, name: orNull(text), group: text })`
    select l.directory_id as entry_id, min(l.dn) as dn, min(l.name) as name, min(g.name) as "group"
    from left_out l join directory_groups g on g.id = l.group_id
    where l.person_id = ${personId} and g.stopped_at is null and l.directory_id not like 'mail:%'
    group by l.directory_id order by l.directory_id limit ${limit}`
}

/** The highest role that this person's account or open invitation grants now. */
export async function worthOf(tx: Db, personId: number): Promise<Role> {
  const rows = await rowsOf(tx, { role: oneOf(roles) })`
    select role from (
      select role from people where id = ${personId}
      union all select i.role from invitations i where i.person_id = ${personId} and ${isUnanswered(sql`i`)}
    ) roles order by array_position(array['member', 'auditor', 'admin', 'owner'], role) desc limit 1`
  return first(rows).role
}

export interface Undecided {
  id: number
  email: string
  name: string | null
  enrollment: Enrollment
  trouble: DirectoryTrouble | null
  directoryMail: string | null
  otherDn: string | null
}

const undecidedColumns = {
  id: int,
  email: text,
  name: orNull(text),
  enrollment: oneOf(enrollments),
  trouble: orNull(oneOf(directoryTroubles)),
  directoryMail: orNull(text),
  otherDn: orNull(text)
}

/** People an admin can decide about: a refused password, or differing addresses. By id, after `after`. */
export async function undecided(db: Db, limit: number, after = 0): Promise<Undecided[]> {
  return rowsOf(db, undecidedColumns)`
    select people.id, people.email, people.name, ${enrollmentOf(sql`people`)} as enrollment, people.directory_trouble as trouble,
      people.directory_mail as "directoryMail", o.dn as "otherDn"
    from people left join lateral (
      select min(l.dn) as dn from left_out l join directory_groups g on g.id = l.group_id
      where l.person_id = people.id and l.reason = 'taken' and g.stopped_at is null
    ) o on true
    where people.id > ${after} and people.deactivated_at is null and (o.dn is not null or people.directory_trouble is not null
        or people.directory_mail_key is not null)
      and people.id in (
        select id from people where directory_trouble is not null
        union all select id from people where directory_mail_key is not null
        union all select person_id from left_out where person_id is not null and reason = 'taken')
    order by people.id limit ${limit}`
}
