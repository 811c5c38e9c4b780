import { and, desc, eq, or, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { batches, directoryGroups, people } from '../db/schema.ts'

/** Stopped batches, and uploads interrupted in the last week; newest first. */
export async function troubledBatches(db: Db, limit: number) {
  const isStopped = eq(batches.state, 'stopped')
  const isCut = and(eq(batches.state, 'incomplete'), sql`${batches.createdAt} > now() - interval '7 days'`)
  const rows = await db
    .select({ batch: batches, creatorName: people.name, groupName: directoryGroups.name })
    .from(batches)
    .leftJoin(people, eq(people.id, batches.createdBy))
    .leftJoin(directoryGroups, eq(directoryGroups.id, batches.groupId))
    .where(or(isStopped, isCut))
    .orderBy(desc(batches.id))
    .limit(limit)
  return rows.map(({ batch, ...names }) => ({ ...batch, ...names }))
}
