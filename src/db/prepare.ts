/** At start: checks the database, applies migrations, and finds out how sessions are set up. */
import { setTimeout as pause } from 'node:timers/promises'
import {
  changesMeaning,
  notInForce,
  problemsOf,
  quoted,
  readFacts,
  readSchema,
  roleSettings,
  type ServerFacts,
  sessionFor
} from './check-server.ts'
import { connect, type Session } from './client.ts'
import { isFull, reasonOf } from './faults.ts'
import { countPending, migrate } from './migrate.ts'

export class DatabaseProblems extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

export interface Prepared {
  session: Session
  /** Connections for this process: as many as it asks for, or fewer if the server grants fewer. */
  connections: number
  warnings: string[]
}

export interface Demand {
  connections: number
  fewest: number
}

/** Has no timeout: a new index on a million rows is slow. @throws DatabaseProblems with all, or the driver's error. */
export async function prepareDatabase(url: string, demand: Demand): Promise<Prepared> {
  const { facts, isRefused } = await lookAt(url)
  const name = facts.tablesIn ?? facts.wantedSchema ?? 'public'
  const session = sessionFor(facts, name, isRefused)
  const db = connect(url, { connections: 2, statementSeconds: 0, session })
  try {
    const place = await readSchema(db.$client, name)
    const isReadable = !facts.hasMigrationsSchema || facts.mayUseMigrationsSchema
    const pending = isReadable ? await countPending(db) : 0
    const wrong = notInForce(facts)
    const room = roomFor(facts, demand)
    const problems = [...problemsOf(facts, place, pending), ...(room.problem ? [room.problem] : [])]
    if (changesMeaning(wrong))
      problems.push(`behind this pooler sessions lack settings that Rollcall needs; run: ${roleSettings(facts, wrong)}`)
    if (problems.length > 0) throw new DatabaseProblems(problems)
    await migrate(db)
    const warnings = [room.warning, slowness(facts, wrong), casing(facts)].filter(each => each !== undefined)
    return { session, connections: room.connections, warnings }
  } finally {
    await db.$client.end({ timeout: 1 })
  }
}

/** A pooler refuses most settings on connect; a full server may have room a moment later. */
async function lookAt(url: string): Promise<{ facts: ServerFacts; isRefused: boolean }> {
  let isRefused = false
  for (let tries = 0; ; tries += 1) {
    const db = connect(url, { connections: 1, session: { settings: { search_path: '' }, isPooled: isRefused } })
    try {
      return { facts: await readFacts(db.$client), isRefused }
    } catch (error) {
      const isFirstRefusal = !isRefused && /unsupported startup parameter/i.test(reasonOf(error))
      if (!isFirstRefusal && !(isFull(error) && tries < 15)) throw error
      if (isFirstRefusal) isRefused = true
      else await pause(200)
    } finally {
      await db.$client.end({ timeout: 1 })
    }
  }
}

function roomFor({ room, role, database }: ServerFacts, { connections, fewest }: Demand) {
  const limits = [
    { left: room.role, who: `the role ${quoted(role)}`, how: `run: alter role ${quoted(role)} connection limit ` },
    {
      left: room.database,
      who: `the database ${quoted(database)}`,
      how: `run: alter database ${quoted(database)} connection limit `
    },
    { left: room.server, who: 'the server', how: 'raise max_connections in postgresql.conf by ' }
  ]
  const set = limits.flatMap(({ left, ...words }) => (left === null ? [] : [{ left, ...words }]))
  const [tightest] = set.sort((one, other) => one.left - other.left)
  const left = tightest?.left ?? connections
  if (!tightest || left >= connections) return { connections }
  const words = `${tightest.who} has ${Math.max(left, 0)} connections left`
  if (left < fewest)
    return {
      connections: left,
      problem: `${words}, Rollcall needs at least ${fewest}; ${tightest.how}${connections}`
    }
  return {
    connections: left,
    warning: `The database grants fewer connections than Rollcall asks for: ${words} of ${connections}. It works with these; ${tightest.how}${connections}, or set DATABASE_POOL=${left}`
  }
}

function slowness(facts: ServerFacts, wrong: string[]): string | undefined {
  if (wrong.length === 0) return undefined
  return `Behind this pooler sessions lack settings, which makes some work slow; run: ${roleSettings(facts, wrong)}`
}

function casing({ foldsLetters, database }: ServerFacts): string | undefined {
  if (foldsLetters) return undefined
  return `Searches in the database ${quoted(database)} tell É from é, because its lc_ctype knows ASCII only; a database with lc_ctype 'C.UTF-8' does not`
}
