/** A real PgBouncer in transaction mode in front of the tests' server. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { atExit } from './at-exit.ts'
import { freePort, until } from './server.ts'

const program = '/usr/sbin/pgbouncer'

/** `url` is that of a role on a database of the tests' server. */
export async function startPgBouncer(url: string) {
  const { username, password, hostname, port: serverPort, searchParams } = new URL(url)
  const host = searchParams.get('host') ?? hostname
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-pgbouncer-'))
  fs.chmodSync(folder, 0o755)
  const port = await freePort()
  const ini = path.join(folder, 'pgbouncer.ini')
  fs.writeFileSync(path.join(folder, 'users'), `"${username}" "${password}"\n`)
  fs.writeFileSync(
    ini,
    `[databases]
* = host=${host} port=${serverPort || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${path.join(folder, 'users')}
pool_mode = transaction
default_pool_size = 4
`
  )
  // the server's socket is only open to its user; PgBouncer refuses to run as root
  const { uid, gid } = host.startsWith('/') ? fs.statSync(host) : { uid: 65534, gid: 65534 }
  const user = process.getuid?.() === 0 ? { uid, gid } : {}
  let child: ChildProcess
  atExit(() => child?.kill('SIGKILL'))
  const start = async () => {
    let log = ''
    child = spawn(program, [ini], { ...user, stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr!.on('data', chunk => {
      log += chunk
    })
    await until(() => /process up/.test(log))
  }
  const stop = async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  await start()
  const own = new URL(url)
  own.hostname = '127.0.0.1'
  own.port = String(port)
  own.searchParams.delete('host')
  return {
    url: own.href,
    /** Makes PgBouncer open new connections to the server. */
    restart: async () => {
      await stop()
      await start()
    },
    stop: async () => {
      await stop()
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
}
