/** A directory port that returns what a test wrote, and the resulting rows in the database. */
import type { Test } from 'tap'
import type { Config } from '../../src/config/env.ts'
import type { Database } from '../../src/db/client.ts'
import { writeSettingsRow } from '../../src/directory/settings-store.ts'
import { keepSynced } from '../../src/groups/decisions/keep-synced.ts'
import type { Directory, DirectoryPerson, FoundGroup, Reading, ReadOutcome } from '../../src/ldap/directory.ts'
import { syncNext } from '../../src/sync/sync-due.ts'
import { secretKey, type TestApp } from './app.ts'
import { sql } from './people.ts'

export interface ScriptedGroup {
  name: string
  people: DirectoryPerson[]
  /** Replaces a good reading. */
  instead?: ReadOutcome
  problems?: string[]
  /** What the reading counted besides its people. */
  counts?: Partial<Reading>
  /** Called after each set of people. */
  onSet?: (read: number) => Promise<void> | void
}

export interface ScriptedDirectory {
  groups: Map<string, ScriptedGroup>
  /** Everyone in the directory, for requests about one person; people in groups are included automatically. */
  others: DirectoryPerson[]
  passwords: Map<string, string>
  /** Passwords that reached the directory, and for which entry. */
  asked: string[]
  isDown: boolean
  /** Ids that are not found but not proved deleted. */
  unproved: Set<string>
  port: Directory
}

export const entry = (name: string, more: Partial<DirectoryPerson> = {}): DirectoryPerson => ({
  id: `entry-${name}`,
  dn: `uid=${name},ou=People,dc=larkfield,dc=example`,
  mail: `${name}@larkfield.example`,
  name: name[0]!.toUpperCase() + name.slice(1),
  department: 'Sales',
  title: 'Clerk',
  manager: null,
  isDisabled: false,
  isExcluded: false,
  via: null,
  ...more
})

/** Item 7: every value that a group lists is counted once. */
export function sumsUp(t: Test, reading: Reading) {
  const { listed, computed, resolved, repeated, nestedGroups, cyclesCut } = reading
  const { dangling, foreignBase, elsewhere, principals, withoutId, ambiguous, others } = reading
  const out = dangling + foreignBase + elsewhere + principals + withoutId + ambiguous + others
  t.equal(resolved + repeated + nestedGroups + cyclesCut + out, listed + computed, 'listed = taken + each reason')
}

export function scriptDirectory(): ScriptedDirectory {
  const everybody = () => [...directory.others, ...[...directory.groups.values()].flatMap(({ people }) => people)]
  const directory: ScriptedDirectory = {
    groups: new Map(),
    others: [],
    passwords: new Map(),
    asked: [],
    isDown: false,
    unproved: new Set(),
    port: {
      test: async () => [],
      searchGroups: async () => ({
        groups: [...directory.groups].map(([id, group]) => found(id, group)),
        hasMore: false
      }),
      findGroups: async ids =>
        ids.flatMap(id => (directory.groups.has(id) ? [found(id, directory.groups.get(id)!)] : [])),
      findPeople: async ids => everybody().filter(({ id }) => ids.includes(id)),
      findGone: async missing => missing.map(({ id }) => id).filter(id => !directory.unproved.has(id)),
      findByAddress: async address => everybody().filter(({ mail }) => mail?.toLowerCase() === address.toLowerCase()),
      checkPassword: async (key, password) => {
        directory.asked.push('id' in key ? key.id : key.address)
        if (directory.isDown) return { outcome: 'unavailable', reason: 'down' }
        const isMeant = (each: DirectoryPerson) =>
          'id' in key ? each.id === key.id : each.mail?.toLowerCase() === key.address.toLowerCase()
        const found = everybody().filter(isMeant)
        if (found.length === 0) return { outcome: 'missing' }
        const [person, another] = found.filter(({ isDisabled, isExcluded }) => !isDisabled && !isExcluded)
        if (another) return { outcome: 'ambiguous' }
        if (!person || directory.passwords.get(person.id) !== password) return { outcome: 'wrong' }
        return { outcome: 'right', person }
      },
      readGroup: async (id, take) => read(directory, id, take)
    }
  }
  return directory
}

const found = (id: string, { name, people }: ScriptedGroup): FoundGroup => ({
  ...{ id, name, dn: `cn=${name},ou=Groups,dc=larkfield,dc=example`, mail: null, description: null },
  ...{ kind: 'group', members: people.length }
})

async function read(
  directory: ScriptedDirectory,
  id: string,
  take: (people: DirectoryPerson[]) => Promise<void>
): Promise<ReadOutcome> {
  const group = directory.groups.get(id)
  if (directory.isDown) return { outcome: 'failed', reason: 'The directory does not answer' }
  if (!group) return { outcome: 'missing' }
  for (let at = 0; at < group.people.length; at += 500) {
    await take(group.people.slice(at, at + 500))
    await group.onSet?.(at)
  }
  if (group.instead) return group.instead
  const listed = group.people.length
  const none = { nestedGroups: 0, cyclesCut: 0, dangling: 0, foreignBase: 0, contacts: 0, others: 0 }
  const fresh = { computed: 0, repeated: 0, elsewhere: 0, principals: 0, withoutId: 0, ambiguous: 0 }
  const counts = { listed, resolved: listed, ranges: 1, ...none, ...fresh }
  return {
    outcome: 'read',
    reading: {
      group: found(id, group),
      ...counts,
      strategy: 'script',
      away: [],
      ...group.counts,
      problems: group.problems ?? []
    }
  }
}

export interface Syncing {
  deps: { config: Config; db: Database; secretKey: Buffer; open: () => Directory }
  directory: ScriptedDirectory
  /** Syncs a group of these people; returns the row's id. */
  keep: (id: string, people: DirectoryPerson[], name?: string) => Promise<number>
  /** Changes the members of the group, syncs it again, and returns the run. */
  read: (id: string, people?: DirectoryPerson[]) => Promise<Run>
  /** Addresses and reasons of a team, sorted: "anna directory". */
  members: (id: string) => Promise<string[]>
  lastRun: (id: string) => Promise<Run>
  changes: (runId: number) => Promise<string[]>
}

export interface Run {
  id: number
  groupId: number
  state: string
  reason: string | null
  added: number
  removed: number
  parked: number
  changed: number
  deactivated: number
  deactivationsParked: number
  receipt: Record<string, number | string> | null
}

/** Syncing with a scripted directory, started by Ben. */
export async function startSyncing({ config, db, ids }: TestApp): Promise<Syncing> {
  const directory = scriptDirectory()
  const deps = { config: { ...config, ldapSignIn: true }, db, secretKey, open: () => directory.port }
  await writeSettingsRow(db, { url: 'ldap://127.0.0.1', baseDn: 'dc=larkfield,dc=example' })
  const readDue = async () => {
    while (await syncNext(deps));
  }
  const lastRun = async (id: string) => {
    const [row] = await db.$client<Run[]>`
      select r.* from sync_runs r join directory_groups g on g.last_run_id = r.id where g.directory_id = ${id}`
    return row!
  }
  return {
    ...{ deps, directory, lastRun },
    async keep(id, people, name = id) {
      directory.groups.set(id, { name, people })
      const result = await keepSynced(deps, ids.ben, [id])
      if (result.outcome !== 'kept') throw new Error(`the group was not kept: ${JSON.stringify(result)}`)
      await readDue()
      return result.groupIds[0]!
    },
    async read(id, people) {
      if (people) directory.groups.get(id)!.people = people
      await db.execute(sql`update directory_groups set next_run_at = now() where directory_id = ${id}`)
      await readDue()
      return lastRun(id)
    },
    async members(id) {
      const rows = await db.execute<{ text: string }>(sql`
        select p.address_key || ' ' || m.source as text
        from directory_groups g join memberships m on m.team_id = g.team_id join people p on p.id = m.person_id
        where g.directory_id = ${id} order by 1`)
      return rows.map(({ text }) => text.replace('@larkfield.example', ''))
    },
    async changes(runId) {
      const rows = await db.execute<{ text: string }>(sql`
        select c.kind || ' ' || p.address_key || coalesce(': ' || c.detail, '') as text
        from sync_changes c join people p on p.id = c.person_id where c.run_id = ${runId} order by 1`)
      return rows.map(({ text }) => text.replace('@larkfield.example', ''))
    }
  }
}
