import { and, desc, eq, inArray, isNotNull, lt, notInArray, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Db } from '../db/client.ts'
import { events, people } from '../db/schema.ts'
import type { EventKind, EventRow } from './event.ts'

export interface NewEvent {
  kind: EventKind
  actorId: number | null
  personId?: number | null
  batchId?: number | null
  details?: Record<string, string | number | boolean | null>
}

/** Writes one line of the audit trail, in the transaction of the act. */
export async function recordEvent(db: Db, event: NewEvent): Promise<void> {
  await db.insert(events).values(event)
}

export interface EventFilter {
  kind?: EventKind | undefined
  actorId?: number | undefined
  personId?: number | undefined
  except?: EventKind[]
  /** Days as YYYY-MM-DD in `timeZone`, both included. */
  from?: string | undefined
  to?: string | undefined
  timeZone?: string
}

export type ListedEvent = EventRow & { id: number }

/** The newest events first, those before the event `before`. */
export async function listEvents(db: Db, filter: EventFilter, limit: number, before?: number): Promise<ListedEvent[]> {
  const actor = alias(people, 'actor')
  const { kind, actorId, personId, except = [], from, to, timeZone = 'UTC' } = filter
  const rows = await db
    .select({
      ...{ id: events.id, kind: events.kind, at: events.at, batchId: events.batchId, details: events.details },
      ...{ personId: events.personId, personName: people.name, personEmail: people.email },
      actorName: sql<string | null>`coalesce(${actor.name}, ${actor.email})`
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
        from === undefined ? undefined : sql`${events.at} >= (${from}::date::timestamp at time zone ${timeZone})`,
        to === undefined ? undefined : sql`${events.at} < ((${to}::date + 1)::timestamp at time zone ${timeZone})`,
        before === undefined ? undefined : lt(events.id, before)
      )
    )
    .orderBy(desc(events.id))
    .limit(limit)
  return rows.map(({ personEmail, ...event }) => ({ ...event, personName: event.personName ?? personEmail }))
}

/** The newest events first; of one person when `personId` is given. */
export async function recentEvents(db: Db, limit: number, personId?: number): Promise<EventRow[]> {
  return listEvents(db, { personId }, limit)
}

/** Those who act in the console, to filter by. */
export async function listActors(db: Db): Promise<{ id: number; name: string }[]> {
  const name = sql<string>`coalesce(${people.name}, ${people.email})`
  const mayAct = and(inArray(people.role, ['auditor', 'admin', 'owner']), isNotNull(people.signedUpAt))
  return db.select({ id: people.id, name }).from(people).where(mayAct).orderBy(name).limit(200)
}
