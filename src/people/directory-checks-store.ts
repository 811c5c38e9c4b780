import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'

/** Asks about people that no group lists now, then daily until a group has them. */
export async function askAbout(tx: Db, personIds: number[]): Promise<void> {
  await tx.execute(sql`
    update people set directory_check_at = now()
    where id = any(${sql.param(personIds)}::bigint[]) and directory_id is not null`)
}

export async function postpone(tx: Db, ids: number[]): Promise<void> {
  await tx.execute(sql`
    update people set directory_check_at = now() + interval '1 hour' where id = any(${sql.param(ids)}::bigint[])`)
}

/** Stores the answer about people: missing, disabled, or otherwise existing. */
export async function noteAnswers(
  tx: Db,
  { asked, gone, disabled }: { asked: number[]; gone: number[]; disabled: number[] }
): Promise<void> {
  const isIn = (ids: number[]) => sql`id = any(${sql.param(ids)}::bigint[])`
  await tx.execute(sql`
    update people p set
      gone_from_directory_at = case when ${isIn(gone)} then coalesce(gone_from_directory_at, now()) end,
      disabled_in_directory_at = case
        when ${isIn(disabled)} then coalesce(disabled_in_directory_at, now())
        when ${isIn(gone)} then disabled_in_directory_at
      end,
      directory_check_at = case
        when ${isIn(gone)} or not exists (
          select from memberships m where m.person_id = p.id and m.source = 'directory'
        ) then now() + (0.9 + 0.2 * random()) * interval '1 day'
      end
    where ${isIn(asked)}`)
}
