/** E28: a primary and its standby, a failover between them, and TLS. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import { connect, type Database } from '../../../src/db/client.ts'
import { readDatabaseUrl } from '../../../src/db/connection/database-url.ts'
import { labelOf } from '../../../src/db/connection/dial.ts'
import { startEmbedded } from '../../../src/db/embedded/start.ts'
import { isDatabaseAway, isReadOnly, reasonOf } from '../../../src/db/faults.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { prepare } from '../../support/other-database.ts'
import { newFolder, removeFolder } from '../../support/server.ts'

const socketOf = (url: string) => readDatabaseUrl(url).hosts[0]!.name
const pidOf = async (db: Database) => (await db.$client`select pg_backend_pid() as pid`)[0]!.pid

t.test('E28: of several servers the one that accepts writes is used, before and after a failover', async t => {
  const folders = [newFolder(), newFolder()] as const
  t.teardown(() => folders.forEach(removeFolder))
  const first = await startEmbedded(folders[0])
  const seed = connect(first.url, { connections: 1 })
  await seed.$client`create table notes (n int)`
  await seed.$client.end()
  await first.stop()
  execFileSync('cp', ['-a', path.join(folders[0], 'pg18'), folders[1]])
  fs.writeFileSync(path.join(folders[1], 'pg18/standby.signal'), '')
  let [primary, standby] = await Promise.all(folders.map(folder => startEmbedded(folder)))
  t.teardown(() => Promise.all([primary!.stop(), standby!.stop()]))

  const refusal = await prepare(standby!.url).catch(each => each)
  t.match(refusal.problems, [/^this server is a read-only standby: name the primary, or all servers/])
  const hosts = [standby!.url, primary!.url].map(socketOf).join(',')
  const both = `postgres://rollcall@/postgres?host=${hosts}`
  const db = connect(both, { connections: 2 })
  const alone = connect(standby!.url, { connections: 1 })
  t.teardown(() => Promise.all([db, alone].map(each => each.$client.end({ timeout: 0 }))))
  const write = (way: Database) => way.$client`insert into notes values (1)`
  await write(db)

  const before = await pidOf(alone)
  const error = await write(alone).catch(each => each)
  t.ok(isReadOnly(error) && isDatabaseAway(error), 'a write on a standby is a passing fault')
  t.not(await pidOf(alone), before, 'and its connection is given up')

  await primary!.stop()
  const lost = await write(db).catch(each => each)
  t.ok(isDatabaseAway(lost), 'while there is no primary it is away')
  t.match(reasonOf(lost), /CONNECTION_CLOSED|none of 2 servers accepts writes \(.*: a standby; .*ENOENT/)
  await alone.$client`select pg_promote()`
  await write(db)
  await write(alone)
  primary = standby
})

/** A proxy in front of a server that supports TLS, or says that it does not. */
async function tlsDoor(t: Test, target: string, certificate?: { certificate: string; key: string }): Promise<number> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer(client => {
    sockets.add(client)
    client.on('error', () => {})
    const join = (inside: net.Socket) => {
      const there = net.connect(target).on('error', () => {})
      sockets.add(there)
      inside
        .on('error', () => {})
        .pipe(there)
        .pipe(inside)
    }
    client.once('data', request => {
      if (request.readInt32BE(4) !== 80877103) return client.destroy()
      client.write(certificate ? 'S' : 'N')
      if (!certificate) return join(client)
      return join(
        new tls.TLSSocket(client, {
          isServer: true,
          cert: certificate.certificate,
          key: certificate.key,
          ALPNProtocols: ['postgresql']
        })
      )
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as net.AddressInfo).port
}

t.test('S14: sslmode means the same as in libpq, with the configured authority', async t => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-tls-'))
  t.teardown(() => fs.rmSync(folder, { recursive: true }))
  const authority = makeAuthority(folder)
  const address = readDatabaseUrl(process.env.TEST_DATABASE_URL!)
  const target = labelOf(address.hosts[0]!)
  const good = await tlsDoor(t, target, authority.issue('DNS:localhost,IP:127.0.0.1'))
  const misnamed = await tlsDoor(t, target, authority.issue('DNS:other.example'))
  const foreign = await tlsDoor(t, target, authority.selfSigned('DNS:localhost'))
  const plain = await tlsDoor(t, target)
  const ca = `sslrootcert=${authority.caFile}`
  const cases: [number, string, RegExp | undefined][] = [
    [good, 'sslmode=require', undefined],
    [good, `sslmode=verify-full&${ca}`, undefined],
    [good, 'sslmode=verify-full', /unable to (verify|get)|self-signed/],
    [misnamed, `sslmode=verify-ca&${ca}`, undefined],
    [misnamed, `sslmode=verify-full&${ca}`, /altnames/],
    [foreign, 'sslmode=require', undefined],
    [foreign, `sslmode=verify-ca&${ca}`, /self-signed/],
    [plain, 'sslmode=prefer', undefined],
    [plain, 'sslmode=require', /does not offer TLS, which sslmode=require asks for/]
  ]
  for (const [port, words, fault] of cases) {
    const db = connect(`postgres://${address.user}@localhost:${port}/postgres?${words}`, { connections: 1 })
    const answer = await db.$client`select 1`.then(
      () => undefined,
      error => reasonOf(error)
    )
    if (fault) t.match(answer, fault, words)
    else t.equal(answer, undefined, words)
    await db.$client.end({ timeout: 0 })
  }
})
