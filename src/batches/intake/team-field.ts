import type { Db } from '../../db/client.ts'
import { teamNames } from '../../teams/store.ts'

const maxNames = 500

export async function teamField(db: Db, { typed, error }: { typed: string[]; error: string | null }) {
  const list = await teamNames(db, maxNames)
  if (list.length === 0 && error === null) return null
  return {
    name: 'team',
    label: 'Team',
    value: typed.find(Boolean) ?? '',
    autocomplete: 'off',
    error,
    list,
    hint: 'Optional. Everyone who accepts is added to this team.'
  }
}
