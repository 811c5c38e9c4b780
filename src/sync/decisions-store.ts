import { and, eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { bool, orNull, rowsOf } from '../db/rows.ts'
import { directoryGroups, syncChanges, syncRuns } from '../db/schema.ts'
import { followGroup, putBackByHand, removeByDirectory, stopFollowing } from '../teams/directory-store.ts'
import type { ChangeKind } from './run.ts'
import type { GroupRow } from './store.ts'

type NewGroup = Pick<GroupRow, 'directoryId' | 'dn' | 'name' | 'mail' | 'description' | 'kind'>

/** Keeps a group synced, with a new or its former team. Returns the row's id; undefined when it is synced already. */
export async function keepGroup(tx: Db, found: NewGroup, actorId: number): Promise<number | undefined> {
  const { directoryId, dn, name, mail, description, kind } = found
  const [known] = await tx
    .select()
    .from(directoryGroups)
    .where(eq(directoryGroups.directoryId, directoryId))
    .for('update')
  if (known && known.stoppedAt === null) return undefined
  const teamId = await followGroup(tx, known?.teamId, { name, createdBy: actorId })
  const kept = { dn, name, mail, description, kind, teamId, syncedBy: actorId }
  if (known) {
    const again = {
      ...kept,
      stoppedAt: null,
      fingerprint: null,
      failures: 0,
      memberCount: 0,
      createdAt: sql`now()`,
      lastGoodAt: null
    }
    await tx.update(directoryGroups).set(again).where(eq(directoryGroups.id, known.id))
    return known.id
  }
  // its first run is started by hand; the schedule begins with it
  const nextRunAt = sql`now() + interval '1 day'`
  const [row] = await tx
    .insert(directoryGroups)
    .values({ ...kept, directoryId, nextRunAt })
    .onConflictDoNothing()
    .returning({ id: directoryGroups.id })
  return row?.id
}

/** Ends its runs. A team that stays is one made by hand from now on, with its present members. */
export async function stopGroup(tx: Db, groupId: number, teamId: number, team: 'keep' | 'remove'): Promise<void> {
  await tx.update(directoryGroups).set({ stoppedAt: sql`now()` }).where(eq(directoryGroups.id, groupId))
  await tx.execute(sql`
    update sync_runs set state = 'failed', reason = 'Syncing this group was stopped.', finished_at = now(), lease_until = null
    where group_id = ${groupId} and state = 'running'`)
  await tx.execute(sql`
    update sync_runs set state = 'done', reason = 'Syncing this group was stopped: nothing waits for approval here.'
    where group_id = ${groupId} and state = 'parked'`)
  await tx.execute(sql`delete from left_out where group_id = ${groupId}`)
  await stopFollowing(tx, teamId, team)
}

async function listedAs(tx: Db, runId: number, kind: ChangeKind): Promise<number[]> {
  const isOne = and(eq(syncChanges.runId, runId), eq(syncChanges.kind, kind))
  const rows = await tx.select({ id: syncChanges.personId }).from(syncChanges).where(isOne)
  return rows.map(({ id }) => id)
}

/** Removes parked people who are still in the team. Returns who. */
export async function removeParked(tx: Db, runId: number, teamId: number): Promise<number[]> {
  const ids = await removeByDirectory(tx, teamId, await listedAs(tx, runId, 'parked'))
  await tx.execute(sql`delete from sync_changes where run_id = ${runId} and kind = 'parked'`)
  await tx.execute(sql`
    insert into sync_changes (run_id, kind, person_id)
    select ${runId}, 'removed', id from unnest(${sql.param(ids)}::bigint[]) as id`)
  await tx.execute(sql`
    update directory_groups set member_count = member_count - ${ids.length} where team_id = ${teamId}`)
  return ids
}

export async function noteDeactivations(
  tx: Db,
  runId: number,
  kind: 'deactivated' | 'deactivation-parked',
  ids: number[]
): Promise<void> {
  await tx.execute(sql`
    insert into sync_changes (run_id, kind, person_id)
    select ${runId}, ${kind}, id from unnest(${sql.param(ids)}::bigint[]) as id`)
}

export async function clearParkedDeactivations(tx: Db, runId: number): Promise<void> {
  await tx.execute(sql`delete from sync_changes where run_id = ${runId} and kind = 'deactivation-parked'`)
}

export async function noteApproval(
  tx: Db,
  runId: number,
  approvedBy: number,
  counts: { removed: number; deactivated: number }
): Promise<void> {
  const { removed, deactivated } = counts
  await tx
    .update(syncRuns)
    .set({
      state: 'done',
      reason: null,
      approvedBy,
      approvedAt: sql`now()`,
      removed: sql`${syncRuns.removed} + ${removed}`,
      deactivated: sql`${syncRuns.deactivated} + ${deactivated}`
    })
    .where(eq(syncRuns.id, runId))
}

/** Puts back by hand the people that the run removed and the directory has not put back. Returns how many. */
export async function putBack(tx: Db, runId: number, teamId: number, actorId: number): Promise<number> {
  const removed = await listedAs(tx, runId, 'removed')
  return putBackByHand(tx, teamId, removed, { via: `run:${runId}`, addedBy: actorId })
}

/** An admin decided something about the group: the next run compares everyone. */
export async function forgetFingerprint(tx: Db, groupId: number): Promise<void> {
  await tx.update(directoryGroups).set({ fingerprint: null }).where(eq(directoryGroups.id, groupId))
}

export async function noteUndo(tx: Db, runId: number, undoneBy: number): Promise<void> {
  await tx.update(syncRuns).set({ undoneBy, undoneAt: sql`now()` }).where(eq(syncRuns.id, runId))
}

export async function isWithin(tx: Db, runId: number, days: number): Promise<boolean> {
  const [row] = await rowsOf(tx, { recent: orNull(bool) })`
    select coalesce(approved_at, finished_at) > now() - make_interval(days => ${days}) as recent
    from sync_runs where id = ${runId}`
  return row?.recent === true
}
