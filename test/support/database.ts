import { randomBytes } from 'node:crypto'
import { connect, type Database } from '../../src/db/client.ts'
import './check-rows.ts'

export interface TestDatabase {
  db: Database
  url: string
  drop: () => Promise<void>
}

export interface CloneOptions {
  connections?: number
  /** Tables only, or also Larkfield and its four users. */
  template?: 'empty' | 'larkfield'
}

/** A new database, cloned from a template that the test command creates: about 25 ms. */
export async function cloneDatabase({ connections = 4, template = 'empty' }: CloneOptions = {}): Promise<TestDatabase> {
  const server = process.env.TEST_DATABASE_URL
  if (!server) throw new Error('Run the tests with: npm test -- test/path/of.test.ts')
  const name = `t_${randomBytes(6).toString('hex')}`
  const admin = adminOf(server)
  // the faster way to copy a small template, if it is available
  const [found] = await admin.$client`select current_setting('server_version_num')::int >= 150000 as "hasStrategy"`
  const strategy = found!.hasStrategy ? 'strategy file_copy' : ''
  await admin.$client.unsafe(`create database ${name} template rollcall_${template} ${strategy}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const db = connect(url.href, { connections })
  return {
    db,
    url: url.href,
    drop: async () => {
      await db.$client.end({ timeout: 2 })
      await admin.$client.unsafe(`drop database if exists ${name} with (force)`)
      leaveAdmin()
    }
  }
}

let admin: Database | undefined
let clones = 0
let closing: NodeJS.Timeout | undefined

/** One connection for all clones of a process: a new one costs PostgreSQL as much CPU time as the clone. */
function adminOf(server: string): Database {
  clearTimeout(closing)
  clones += 1
  admin ??= connect(server, { connections: 1 })
  return admin
}

/** The next test may need it at once. */
function leaveAdmin() {
  clones -= 1
  if (clones > 0) return
  closing = setTimeout(async () => {
    const left = admin
    admin = undefined
    await left?.$client.end()
  }, 500)
}
