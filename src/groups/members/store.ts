/** The people that the directory put in a group's team, any number: counted in one pass, read a few at a time. */
import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { contains } from '../../db/paged-search.ts'
import { bool, int, oneOf, orNull, rowsOf, text } from '../../db/rows.ts'
import { deliveryStates, suppressionCauses } from '../../db/schema.ts'
import { first } from '../../lib/ends.ts'
import { enrollmentNow } from '../../people/conditions.ts'
import { type Enrollment, enrollments } from '../../people/person.ts'
import type { DeliveryState, Suppressed } from '../../people/store.ts'
import type { Grouping, MemberFilter } from './view.ts'

export const stateOf = enrollmentNow(sql`t.stage`, sql`t.expires_at`)
const sectionBy: Record<Grouping, SQL> = {
  department: sql`t.department`,
  title: sql`t.title`,
  status: stateOf
}

/** A longer name is hashed, so that a page of sections fits in a form; so is one that could be read as a hash. */
const longestKey = 24
const digestOf = (name: SQL) => sql`'~' || left(encode(sha256(convert_to(${name}, 'UTF8')), 'hex'), 16)`
/** What forms and URLs call the section of that name; a status is short as it is. */
const keyOf = (by: Grouping, name: SQL) =>
  by === 'status'
    ? name
    : sql`(case when octet_length(${name}) <= ${longestKey} and ${name} not like '~%'
        then ${name} else ${digestOf(name)} end)`

/** Names need hashing only if one of the keys is a hash. */
function isIn(by: Grouping, keys: string[]): SQL {
  const [digests, names] = [keys.filter(key => key.startsWith('~')), keys.filter(key => !key.startsWith('~'))]
  const isNamed = sql`${sectionBy[by]} = any(${sql.param(names)}::text[])`
  if (digests.length === 0) return isNamed
  return sql`(${isNamed} or ${keyOf(by, sectionBy[by])} = any(${sql.param(digests)}::text[]))`
}

const all = (conditions: (SQL | undefined | false)[]) =>
  sql.join(
    conditions.filter(each => each !== undefined && each !== false),
    sql` and `
  )

const inGroup = (teamId: number) => sql`t.team_id = ${teamId} and t.in_directory`
const isFound = ({ q, delivery }: MemberFilter) =>
  all([sql`true`, q !== undefined && contains(sql`t.searched`, q), delivery && sql`t.delivery = ${delivery}`])
const isInState = ({ enrollment }: MemberFilter) => enrollment && sql`${stateOf} = ${enrollment}`

/** The page's filter on the row `t` of `team_members`; in these sections (keys) if given. */
export function isShown(teamId: number, filter: MemberFilter, by?: Grouping, sections?: string[]): SQL {
  return all([inGroup(teamId), isFound(filter), isInState(filter), by && sections && isIn(by, sections)])
}

export interface Section {
  key: string
  name: string
  people: number
  notInvited: number
  selected: number
}

export interface MemberCounts {
  states: Partial<Record<Enrollment, number>>
  matching: number
  sectionCount: number
  sections: Section[]
  hasMore: boolean
}

const sectionsOnPage = 100

function countedSections(teamId: number, by: Grouping, filter: MemberFilter, selection: number | null): SQL {
  const isSelected = selection === null ? sql`0` : sql`count(s.person_id) filter (where ${isFound(filter)})`
  const joined =
    selection !== null &&
    sql`left join selection_people s on s.selection_id = ${selection} and s.person_id = t.person_id`
  const isState = filter.enrollment ? sql`state = ${filter.enrollment}` : sql`true`
  return sql`
    members as materialized (
      select ${sectionBy[by]} as name, ${stateOf} as state, count(*) as everybody,
        count(*) filter (where ${isFound(filter)}) as people, ${isSelected} as selected
      from team_members t ${joined || sql``} where ${inGroup(teamId)} group by 1, 2
    ), sections as materialized (
      select name, sum(people) as people, coalesce(sum(people) filter (where state = 'not-invited'), 0) as not_invited,
        sum(selected) as selected
      from members where ${isState} group by name having sum(people) > 0
    )`
}

/** Counts in one pass. `selection`: how many of each section are in it. */
export async function countMembers(
  db: Db,
  teamId: number,
  by: Grouping,
  filter: MemberFilter,
  { selection = null, from = null }: { selection?: number | null; from?: string | null } = {}
): Promise<MemberCounts> {
  const place = (name: SQL) => sql`(${name} = '(none)', lower(${name}), ${name})`
  const isLater = from === null ? sql`true` : sql`${place(sql`name`)} > ${place(sql`${from}::text`)}`
  const rows = await rowsOf(db, { kind: text, key: text, name: text, a: int, b: int, c: int })`
    with ${countedSections(teamId, by, filter, selection)}
    select 'state' as kind, state as key, '' as name, sum(everybody) as a, 0 as b, 0 as c from members group by state
    union all select 'all', '', '', coalesce(sum(people), 0), count(*), 0 from sections
    union all (
      select 'section', ${keyOf(by, sql`name`)}, name, people, not_invited, selected from sections where ${isLater}
      order by ${place(sql`name`)} limit ${sectionsOnPage + 1}
    )`
  const of = (kind: string) => rows.filter(row => row.kind === kind)
  const sections = of('section').map(row => ({
    key: row.key,
    name: row.name,
    people: row.a,
    notInvited: row.b,
    selected: row.c
  }))
  const whole = first(of('all'))
  return {
    states: Object.fromEntries(of('state').map(row => [row.key, row.a])),
    matching: whole.a,
    sectionCount: whole.b,
    sections: sections.slice(0, sectionsOnPage),
    hasMore: sections.length > sectionsOnPage
  }
}

export interface ListedMember {
  section: string
  id: number
  email: string
  name: string | null
  title: string | null
  department: string | null
  enrollment: Enrollment
  delivery: DeliveryState | null
  isKept: boolean
  suppression: Suppressed
  invitedAt: Date | null
  isDisabled: boolean
  isSelected: boolean
}

export const memberColumns = {
  id: int,
  email: text,
  name: orNull(text),
  title: orNull(text),
  department: orNull(text),
  enrollment: oneOf(enrollments),
  delivery: orNull(oneOf(deliveryStates)),
  isKept: bool,
  suppression: orNull(oneOf(suppressionCauses)),
  invitedAt: orNull(text),
  isDisabled: bool
}

/** Departments are small and read together, once. A state may be most of the group: scanning again is cheaper. */
export async function listMembers(
  db: Db,
  teamId: number,
  by: Grouping,
  filter: MemberFilter,
  places: readonly { key: string; after: number | null }[],
  limit: number,
  selection: number | null = null
): Promise<ListedMember[]> {
  const keys = places.map(({ key }) => key)
  const afters = sql.param(places.map(({ after }) => after ?? 0))
  const rows = await rowsOf(db, { ...memberColumns, section: text, isSelected: bool })`
    with shown as ${by === 'status' ? sql`not materialized` : sql`materialized`} (
      select ${keyOf(by, sectionBy[by])} as section, t.person_id, t.sort, t.delivery, ${stateOf} as enrollment from team_members t
      where ${isShown(teamId, filter, by, keys)}
    )
    select o.key as section, p.id, p.email, p.name, p.title, p.department, x.enrollment, x.delivery, p.invited_at,
      p.delivery_is_kept as is_kept, p.suppression, p.disabled_in_directory_at is not null as is_disabled,
      exists (select from selection_people s where s.selection_id = ${selection ?? 0} and s.person_id = p.id) as is_selected
    from unnest(${sql.param(keys)}::text[], ${afters}::bigint[]) with ordinality o(key, after, n)
    left join team_members a on a.team_id = ${teamId} and a.person_id = o.after
    cross join lateral (
      select * from shown
      where section = o.key and (sort, person_id) > (coalesce(a.sort, ''), coalesce(a.person_id, 0))
      order by sort, person_id limit ${limit}
    ) x
    join people p on p.id = x.person_id
    order by o.n, x.sort, x.person_id`
  return rows.map(row => ({ ...row, invitedAt: row.invitedAt === null ? null : new Date(row.invitedAt) }))
}
