import { desc, eq } from 'drizzle-orm'
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

/** The newest events first; of one person when `personId` is given. */
export async function recentEvents(db: Db, limit: number, personId?: number): Promise<EventRow[]> {
  const actor = alias(people, 'actor')
  const query = db
    .select({
      kind: events.kind,
      at: events.at,
      actorName: actor.name,
      personId: events.personId,
      personName: people.name,
      personEmail: people.email,
      batchId: events.batchId,
      details: events.details
    })
    .from(events)
    .leftJoin(actor, eq(actor.id, events.actorId))
    .leftJoin(people, eq(people.id, events.personId))
    .where(personId === undefined ? undefined : eq(events.personId, personId))
    .orderBy(desc(events.id))
    .limit(limit)
  return (await query).map(({ personEmail, ...event }) => ({ ...event, personName: event.personName ?? personEmail }))
}
