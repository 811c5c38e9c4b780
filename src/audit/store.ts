import { and, desc, eq, inArray, isNotNull, lt, notInArray, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../db/client.ts'
import { events, people } from '../db/schema.ts'
import { storable } from '../lib/text/cut.ts'
import type { Detail, Details } from './change-event.ts'
import type { EventKind, EventRow } from './event.ts'

export interface NewEvent {
  kind: EventKind
  actorId: number | null
  personId?: number | null
  batchId?: number | null
  details?: Details
}

/** Writes one event in the transaction of the action, with present names and addresses. */
export async function recordEvent(db: Db, event: NewEvent): Promise<void> {
  const { actorId, personId = null, details = {} } = event
  await db.insert(events).values({
    ...event,
    actorName: nameOf(actorId),
    actorEmail: emailOf(actorId),
    personName: nameOf(personId),
    personEmail: emailOf(personId),
    details: Object.fromEntries(Object.entries(details).map(([name, value]) => [name, kept(value)]))
  })
}

/** Was there an event of this kind within so many days? */
export async function recentEvent(db: Db, kind: EventKind, days: number): Promise<boolean> {
  const isRecent = and(eq(events.kind, kind), sql`${events.at} > now() - make_interval(days => ${days})`)
  return (await db.select({ id: events.id }).from(events).where(isRecent).limit(1)).length > 0
}

const nameOf = (id: number | null) =>
  id === null ? null : sql`(select coalesce(${people.name}, ${people.email}) from ${people} where ${people.id} = ${id})`
const emailOf = (id: number | null) =>
  id === null ? null : sql`(select ${people.email} from ${people} where ${people.id} = ${id})`
const kept = (value: Detail) => (typeof value === 'string' ? storable(value) : value)

export interface EventFilter {
  kind?: EventKind | undefined
  actorId?: number | undefined
  personId?: number | undefined
  except?: EventKind[]
  /** Inclusive; `to` is exclusive. */
  from?: Date | undefined
  to?: Date | undefined
}

/** PostgreSQL cannot read years beyond 9999 as JavaScript writes them. */
const instant = (date: Date) => sql`to_timestamp(${date.getTime() / 1000}::float8)`

export type ListedEvent = EventRow & { id: number }

export async function listEvents(db: Db, filter: EventFilter, limit: number, before?: number): Promise<ListedEvent[]> {
  const actor = alias(people, 'actor')
  const { kind, actorId, personId, except = [], from, to } = filter
  return db
    .select({
      id: events.id,
      kind: events.kind,
      at: events.at,
      batchId: events.batchId,
      details: events.details,
      actorId: events.actorId,
      personId: events.personId,
      actorName: sql<string | null>`coalesce(${events.actorName}, ${actor.name}, ${actor.email})`,
      actorEmail: sql<string | null>`coalesce(${events.actorEmail}, ${actor.email})`,
      personName: sql<string | null>`coalesce(${events.personName}, ${people.name}, ${people.email})`,
      personEmail: sql<string | null>`coalesce(${events.personEmail}, ${people.email})`
    })
    .from(events)
    .leftJoin(actor, eq(actor.id, events.actorId))
    .leftJoin(people, eq(people.id, events.personId))
    .where(
      and(
        kind === undefined ? undefined : eq(events.kind, kind),
        actorId === undefined ? undefined : eq(events.actorId, actorId),
        personId === undefined ? undefined : eq(events.personId, personId),
        except.length === 0 ? undefined : notInArray(events.kind, except),
        from === undefined ? undefined : sql`${events.at} >= ${instant(from)}`,
        to === undefined ? undefined : sql`${events.at} < ${instant(to)}`,
        before === undefined ? undefined : lt(events.id, before)
      )
    )
    .orderBy(desc(events.id))
    .limit(limit)
}

export async function recentEvents(db: Db, limit: number, personId?: number): Promise<EventRow[]> {
  return listEvents(db, { personId }, limit)
}

/** `email` distinguishes actors with the same name. */
export async function listActors(db: Db): Promise<{ id: number; name: string; email: string }[]> {
  const name = sql<string>`coalesce(${people.name}, ${people.email})`
  const isOfConsole = and(inArray(people.role, ['auditor', 'admin', 'owner']), isNotNull(people.signedUpAt))
  return db
    .select({ id: people.id, name, email: people.email })
    .from(people)
    .where(isOfConsole)
    .orderBy(name)
    .limit(200)
}
