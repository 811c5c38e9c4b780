import type { Db } from '../../db/client.ts'
import { orNull, rowsOf, text } from '../../db/rows.ts'
import { isShown, type ListedMember, memberColumns, stateOf } from './store.ts'
import type { MemberFilter } from './view.ts'

export interface ExportedMember extends Omit<ListedMember, 'section' | 'isSelected'> {
  sort: string
  signedUpAt: Date | null
}

export async function exportMembers(
  db: Db,
  teamId: number,
  filter: MemberFilter,
  limit: number,
  after: { sort: string; id: number } = { sort: '', id: 0 }
): Promise<ExportedMember[]> {
  const rows = await rowsOf(db, { ...memberColumns, sort: text, signedUpAt: orNull(text) })`
    select p.id, x.sort, p.email, p.name, p.title, p.department, x.enrollment, x.delivery, p.invited_at, p.signed_up_at,
      p.delivery_is_kept as is_kept, p.suppression,
      p.disabled_in_directory_at is not null as is_disabled
    from (
      select t.person_id, t.sort, t.delivery, ${stateOf} as enrollment from team_members t
      where ${isShown(teamId, filter)} and (t.sort, t.person_id) > (${after.sort}, ${after.id}::bigint)
      order by t.sort, t.person_id limit ${limit}
    ) x join people p on p.id = x.person_id order by x.sort, x.person_id`
  const time = (text: string | null) => (text === null ? null : new Date(text))
  return rows.map(row => ({ ...row, invitedAt: time(row.invitedAt), signedUpAt: time(row.signedUpAt) }))
}
