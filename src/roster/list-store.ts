import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { contains, containsByIndex, searchPage } from '../db/paged-search.ts'
import { people } from '../db/schema.ts'
import type { Role } from '../lib/role.ts'
import { counters } from '../mail/copies-store.ts'
import { enrollmentOf, hasOpenInvitation, isExpired } from '../people/conditions.ts'
import type { Enrollment } from '../people/person.ts'
import type { DeliveryState, Suppressed } from '../people/store.ts'

export interface PeopleFilter {
  q?: string | undefined
  enrollment?: Enrollment | undefined
  delivery?: DeliveryState | undefined
}

const hasExpired = isExpired(sql`${people.stage}`, sql`${people.invitationExpiresAt}`)
const searched = sql`(${people.addressKey} || E'\n' || lower(coalesce(${people.name}, '')))`

/** In the address, as stored or readable, in the name, or in the directory's address for this person. */
function isFound(q: string, isByIndex: boolean): SQL {
  const has = isByIndex ? containsByIndex : contains
  return sql`(${has(searched, q)} or ${has(sql`${people.alsoFoundBy}`, q)})`
}

/** Narrows people down through the batches that have such email; `people.delivery` decides. */
const mailedIn = (state: DeliveryState) => sql`${people.id} in (
  select d.person_id from batches b cross join lateral (
    select person_id from deliveries where batch_id = b.id and state = ${state} offset 0
  ) d where b.${counters[state]} > 0
  union all select person_id from deliveries where batch_id is null and state = ${state}
  ${state === 'suppressed' || state === 'bounced' ? sql`union all select id from people where suppression is not null` : sql``}
)`

/** Search is literal, anywhere, ignoring case. */
export function matching({ q, enrollment, delivery }: PeopleFilter, isByIndex = false): SQL | undefined {
  const isThere: Partial<Record<Enrollment, SQL>> = { invited: hasOpenInvitation(people), expired: hasExpired }
  const stage = enrollment && (isThere[enrollment] ?? sql`${people.stage} = ${enrollment}`)
  return and(
    q ? isFound(q, isByIndex) : undefined,
    stage,
    delivery ? eq(people.delivery, delivery) : undefined,
    delivery && isByIndex ? mailedIn(delivery) : undefined
  )
}

export interface Listed {
  id: number
  email: string
  addressKey: string
  name: string | null
  role: Role
  enrollment: Enrollment
  delivery: DeliveryState | null
  isKept: boolean
  suppression: Suppressed
  invitedAt: Date | null
  signedUpAt: Date | null
}

/** One page of people by address, after `after` (an address key). */
export async function listPeople(db: Db, filter: PeopleFilter, limit: number, after = ''): Promise<Listed[]> {
  const isMatch = matching(filter)
  const isLater = gt(people.addressKey, after)
  const read = (source: Source, where: SQL | undefined) => pageFrom(db, source, where, limit)
  if (!isMatch) return read(people, isLater)
  return searchPage<Listed, number>(limit, {
    async near(window) {
      const next = some(db, isLater).orderBy(asc(people.addressKey)).limit(window).as('people')
      const beyond = sql`select 1 from people where ${isLater} order by address_key offset ${window} limit 1`
      const [rows, more] = await Promise.all([read(next, isMatch), db.execute(beyond)])
      return { rows, isAll: more.length === 0 }
    },
    async keys(max) {
      const isFound = matching(filter, true)
      const rows = await db.select({ id: people.id }).from(people).where(isFound).limit(max)
      return rows.map(row => row.id)
    },
    byKeys: ids => read(people, and(isLater, sql`${people.id} = any(${sql.param(ids)}::bigint[])`, isMatch)),
    walk: () => read(people, and(isMatch, isLater))
  })
}

const some = (db: Db, where: SQL | undefined) => db.select().from(people).where(where).$dynamic()

type Source = typeof people | ReturnType<ReturnType<typeof some>['as']>

function pageFrom(db: Db, source: Source, where: SQL | undefined, limit: number): Promise<Listed[]> {
  const { id, email, addressKey, name, role, invitedAt, signedUpAt, delivery, suppression } = people
  return db
    .select({
      id,
      email,
      addressKey,
      name,
      role,
      invitedAt,
      signedUpAt,
      delivery,
      suppression,
      enrollment: enrollmentOf(people),
      isKept: people.deliveryIsKept
    })
    .from(source)
    .where(where)
    .orderBy(asc(people.addressKey))
    .limit(limit)
}
