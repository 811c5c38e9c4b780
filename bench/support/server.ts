/** A durable database server of its own, with an owner, for as long as the work takes. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { connect, type Database } from '../../src/db/client.ts'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'

export async function withServer<T>(work: (db: Database, url: string) => Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-bench-'))
  fs.chmodSync(folder, 0o755)
  const server = await startEmbedded(folder)
  try {
    const db = connect(server.url, { connections: 12 })
    await migrate(db)
    await db.$client.unsafe(`insert into people (email, address_key, name, role, signed_up_at)
      values ('ada@larkfield.example', 'ada@larkfield.example', 'Ada', 'owner', now());
      insert into settings (organization) values ('Larkfield'); insert into domains (name) values ('larkfield.example')`)
    const result = await work(db, server.url)
    await db.$client.end()
    return result
  } finally {
    await server.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
