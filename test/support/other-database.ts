/** A database and a role as another administrator created them, on the server of the tests. */
import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import { connect, type Database } from '../../src/db/client.ts'
import { fewestConnections, usualConnections } from '../../src/db/connection/shares.ts'
import { type DatabaseProblems, prepareDatabase } from '../../src/db/prepare.ts'

export interface OtherDatabase {
  /** As the role. */
  url: string
  name: string
  role: string
  /** As an administrator; `u` and `d` in the statement are the role and the database. */
  run: (statement: string) => Promise<void>
  /** The same on the server's own database. */
  runOutside: (statement: string) => Promise<void>
}

/** `owner`: does the role own the database? `words` are appended to `create database`. */
export async function otherDatabase(t: Test, { owner = true, words = '' } = {}): Promise<OtherDatabase> {
  const id = randomBytes(4).toString('hex')
  const [role, name] = [`u_${id}`, `d_${id}`]
  const server = new URL(process.env.TEST_DATABASE_URL!)
  const admin = connect(server.href, { connections: 1 })
  const place = new URL(server.href)
  place.pathname = `/${name}`
  await admin.$client.unsafe(`create role ${role} login password 'pw'`)
  await admin.$client.unsafe(`create database ${name} template template0 ${words} ${owner ? `owner ${role}` : ''}`)
  const inside = connect(place.href, { connections: 1 })
  const own = new URL(place.href)
  own.username = role
  own.password = 'pw'
  t.teardown(async () => {
    await inside.$client.end({ timeout: 1 })
    await admin.$client.unsafe(`drop database if exists ${name} with (force)`)
    await admin.$client.unsafe(`drop owned by ${role}; drop role ${role}`)
    await admin.$client.end({ timeout: 1 })
  })
  const named = (statement: string) => statement.replace(/\bu\b/g, role).replace(/\bd\b/g, name)
  const on = (db: Database) => async (statement: string) => void (await db.$client.unsafe(named(statement)))
  return { url: own.href, name, role, run: on(inside), runOutside: on(admin) }
}

const demand = { connections: usualConnections('all'), fewest: fewestConnections('all') }

/** What Rollcall's startup would do and report there. */
export const prepare = (url: string) => prepareDatabase(url, demand)

export async function problemsOf({ url, role, name }: OtherDatabase): Promise<string[]> {
  try {
    await prepare(url)
    return []
  } catch (error) {
    const { problems, message } = error as DatabaseProblems
    return (problems ?? [message]).map(text => text.replaceAll(role, 'u').replaceAll(name, 'd'))
  }
}
