/**
 * A durable database server with an owner for as long as the work takes, or a database
 * `rollcall_bench` on the server that BENCH_DATABASE_URL names.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { connect, type Database } from '../../src/db/client.ts'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import { migrate } from '../../src/db/migrate.ts'

export async function withServer<T>(work: (db: Database, url: string) => Promise<T>): Promise<T> {
  const named = process.env.BENCH_DATABASE_URL
  if (named) return onServer(named, work)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-bench-'))
  fs.chmodSync(folder, 0o755)
  const server = await startEmbedded(folder)
  try {
    return await onDatabase(server.url, work)
  } finally {
    await server.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

async function onServer<T>(serverUrl: string, work: (db: Database, url: string) => Promise<T>): Promise<T> {
  const admin = connect(serverUrl, { connections: 1 })
  await admin.$client.unsafe('drop database if exists rollcall_bench with (force)')
  await admin.$client.unsafe('create database rollcall_bench')
  const url = new URL(serverUrl)
  url.pathname = '/rollcall_bench'
  try {
    return await onDatabase(url.href, work)
  } finally {
    await admin.$client.unsafe('drop database rollcall_bench with (force)')
    await admin.$client.end()
  }
}

async function onDatabase<T>(url: string, work: (db: Database, url: string) => Promise<T>): Promise<T> {
  const db = connect(url, { connections: 12 })
  await migrate(db)
  await db.$client.unsafe(`insert into people (email, address_key, name, role, signed_up_at)
    values ('ada@larkfield.example', 'ada@larkfield.example', 'Ada', 'owner', now());
    insert into settings (organization) values ('Larkfield'); insert into domains (name) values ('larkfield.example')`)
  const result = await work(db, url)
  await db.$client.end()
  return result
}
