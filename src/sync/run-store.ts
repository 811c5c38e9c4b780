/** The runs as work: requested, claimed under a lease, finished. All times are the database's. */
import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { bool, int, rowsOf } from '../db/rows.ts'
import { directoryGroups, type SyncReceipt, syncRuns } from '../db/schema.ts'
import { first } from '../lib/ends.ts'
import type { RunState } from './run.ts'
import type { GroupRow, RunRow } from './store.ts'

/** Seconds until a dead worker loses a run; a live one renews it three times as often. */
export const leaseSeconds = 45

/** Locks a synced group until the transaction ends: every action on it, and every end of a run, starts here. */
export async function lockGroup(tx: Db, id: number): Promise<GroupRow | undefined> {
  const [row] = await tx
    .select()
    .from(directoryGroups)
    .where(and(eq(directoryGroups.id, id), isNull(directoryGroups.stoppedAt)))
    .for('update')
  return row
}

/** Locks a run until the transaction ends. Hold its group's lock. */
export async function lockRun(tx: Db, groupId: number, id: number): Promise<RunRow | undefined> {
  const isIt = and(eq(syncRuns.id, id), eq(syncRuns.groupId, groupId))
  const [row] = await tx.select().from(syncRuns).where(isIt).for('update')
  return row
}

/** Returns the id of the unfinished run, or of a new one. Hold the group's lock. */
export async function insertRun(
  tx: Db,
  groupId: number,
  cause: 'start' | 'asked',
  startedBy: number
): Promise<{ id: number; isNew: boolean }> {
  const isRunning = and(eq(syncRuns.groupId, groupId), eq(syncRuns.state, 'running'))
  const [running] = await tx.select({ id: syncRuns.id }).from(syncRuns).where(isRunning)
  if (running) return { id: running.id, isNew: false }
  const row = first(await tx.insert(syncRuns).values({ groupId, cause, startedBy }).returning({ id: syncRuns.id }))
  await tx.update(directoryGroups).set({ lastRunId: row.id }).where(eq(directoryGroups.id, groupId))
  return { id: row.id, isNew: true }
}

const isFree = sql`state = 'running' and coalesce(lease_until, now()) <= now()`
const isDue = sql`g.stopped_at is null and g.next_run_at <= now() and not exists (
  select from sync_runs r where r.group_id = g.id and r.state = 'running'
)`

export async function isSyncDue(db: Db): Promise<boolean> {
  const row = first(
    await rowsOf(db, { due: bool })`
    select exists (select from sync_runs where ${isFree})
      or exists (select from directory_groups g where ${isDue})
      or exists (select from people where directory_check_at <= now()) as due`
  )
  return row.due
}

export interface TakenRun {
  id: number
  groupId: number
  directoryId: string
  teamId: number
  /** Times that it was claimed, this one included. It is ours as long as this is so. */
  attempts: number
}

const claimedColumns = { id: int, groupId: int, attempts: int }

/** Requested ones first, then the group that has waited longest. */
export async function takeRun(tx: Db): Promise<TakenRun | undefined> {
  const lease = sql`now() + make_interval(secs => ${leaseSeconds})`
  let [row] = await rowsOf(tx, claimedColumns)`
    update sync_runs set lease_until = ${lease}, attempts = attempts + 1, read = 0
    where id = (
      select id from sync_runs where ${isFree} order by cause = 'schedule', id limit 1 for update skip locked
    ) returning id, group_id, attempts`
  row ??= await takeDueGroup(tx)
  if (!row) return undefined
  const { teamId, directoryId } = directoryGroups
  const group = first(
    await tx.select({ teamId, directoryId }).from(directoryGroups).where(eq(directoryGroups.id, row.groupId))
  )
  return { ...group, ...row }
}

async function takeDueGroup(tx: Db) {
  const [row] = await rowsOf(tx, claimedColumns)`
    insert into sync_runs (group_id, cause, lease_until, attempts)
    select id, 'schedule', now() + make_interval(secs => ${leaseSeconds}), 1 from (
      select g.id from directory_groups g where ${isDue} order by g.next_run_at limit 1 for update skip locked
    ) due
    on conflict do nothing returning id, group_id, attempts`
  if (row) await tx.execute(sql`update directory_groups set last_run_id = ${row.id} where id = ${row.groupId}`)
  return row
}

export async function renewRun(db: Db, { id, attempts }: TakenRun, read: number): Promise<boolean> {
  const rows = await db.execute(sql`
    update sync_runs set lease_until = now() + make_interval(secs => ${leaseSeconds}), read = ${read}
    where id = ${id} and attempts = ${attempts} and state = 'running' returning id`)
  return rows.length > 0
}

/** Releases a run for others to claim in `seconds`; `isUntried`: as if it had never been claimed. */
export async function releaseRun(db: Db, { id, attempts }: TakenRun, seconds: number, isUntried = false) {
  await db.execute(sql`
    update sync_runs set lease_until = now() + make_interval(secs => ${seconds}),
      attempts = attempts - ${isUntried ? 1 : 0}
    where id = ${id} and attempts = ${attempts} and state = 'running'`)
}

export interface RunEnd {
  state: Exclude<RunState, 'running'>
  reason?: string | null
  receipt?: SyncReceipt
  added?: number
  removed?: number
  parked?: number
  changed?: number
  addresses?: number
  deactivated?: number
  deactivationsParked?: number
}

/** Hold the locks of group and run. */
export async function endRun(tx: Db, id: number, end: RunEnd): Promise<void> {
  await tx
    .update(syncRuns)
    .set({ ...end, finishedAt: sql`now()`, leaseUntil: null })
    .where(eq(syncRuns.id, id))
}

/** An older run that still waits for approval loses its list: the newer run has it. */
export async function supersedeParked(tx: Db, groupId: number, runId: number): Promise<void> {
  await tx.execute(sql`
    with older as (
      update sync_runs set state = 'done', reason = 'A newer run has replaced this one: nothing waits for approval here.'
      where group_id = ${groupId} and id < ${runId} and state = 'parked' returning id
    )
    delete from sync_changes c using older
    where c.run_id = older.id and c.kind in ('parked', 'deactivation-parked')`)
}

/** After the interval, ±10 % so that groups spread out; sooner after a failure. */
export async function schedule(tx: Db, groupId: number, intervalMinutes: number, hasFailed: boolean): Promise<void> {
  const minutes = hasFailed
    ? sql`least(${intervalMinutes}::int, 5 * 2 ^ least(failures, 8))`
    : sql`${intervalMinutes}::int`
  await tx.execute(sql`
    update directory_groups set failures = ${hasFailed ? sql`failures + 1` : sql`0`},
      next_run_at = now() + ${minutes} * (0.9 + 0.2 * random()) * interval '1 minute'
    where id = ${groupId}`)
}
