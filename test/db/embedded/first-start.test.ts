/** The embedded server's folder: a killed first start, long paths, and obstacles made by other users. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import t from 'tap'
import { connect } from '../../../src/db/client.ts'
import { startEmbedded } from '../../../src/db/embedded/start.ts'
import { readSecretKey } from '../../../src/secret-key.ts'
import { share } from '../../support/long.ts'
import { newFolder, removeFolder, startServer, until } from '../../support/server.ts'

const module = path.join(import.meta.dirname, '../../../src/db/embedded/start.ts')
const startIn = (folder: string, TMPDIR?: string) => {
  const code = `import { startEmbedded } from ${JSON.stringify(module)}; await startEmbedded(process.argv[1]); setInterval(() => {}, 1e3)`
  const env = { ...process.env, ...(TMPDIR ? { TMPDIR } : {}) }
  return spawn(process.execPath, ['--input-type=module', '-e', code, folder], { stdio: 'ignore', env })
}

const attempt = (read: () => string) => {
  try {
    return read()
  } catch {
    return ''
  }
}

t.test('F10: the next start repairs a first start that was killed at any moment', async t => {
  const folder = newFolder()
  t.teardown(() => removeFolder(folder))
  const parts = () => fs.readdirSync(folder).filter(name => name.startsWith('pg18.part'))
  const atWork = () => {
    const pids = fs.existsSync('/proc/self/cwd') ? fs.readdirSync('/proc').filter(name => Number(name) > 0) : []
    const cwdOf = (pid: string) => fs.readlinkSync(`/proc/${pid}/cwd`)
    return pids.map(pid => attempt(() => cwdOf(pid))).filter(cwd => cwd.startsWith(path.join(folder, 'pg18.part')))
  }
  const inPart = (file: string) => () => parts().some(name => fs.existsSync(path.join(folder, name, file)))
  const inData = (file: string) => () => fs.existsSync(path.join(folder, 'pg18', file))
  const moments = [
    ...[() => fs.existsSync(path.join(folder, 'rollcall.pid')), () => parts().length > 0],
    ...['PG_VERSION', 'postgresql.conf', 'global/pg_control', 'base/1/PG_VERSION', 'base/4', 'base/5'].map(inPart),
    ...[inData('PG_VERSION'), inData('postmaster.pid')]
  ]
  t.equal(moments.length, 10)
  for (const isThere of share(moments, 0, 3)) {
    const child = startIn(folder)
    const exit = new Promise(resolve => child.once('exit', resolve))
    await until(isThere, 60_000)
    child.kill('SIGKILL')
    await exit
  }
  fs.mkdirSync(path.join(folder, 'pg18.part-left'))
  const server = await startEmbedded(folder)
  t.same([parts(), atWork()], [[], []], 'nothing is left of the others, and no initdb works any longer')
  const db = connect(server.url, { connections: 1 })
  t.same([...(await db.$client`select count(*) as n from pg_class where relname = 'pg_proc'`)], [{ n: 1 }])
  await db.$client.end()
  await server.stop()
  t.same(parts(), [])
})

t.test('a key is complete or does not exist', async t => {
  const folder = newFolder()
  t.teardown(() => removeFolder(folder))
  const key = readSecretKey(folder)
  t.equal(key.length, 32)
  t.same(readSecretKey(folder), key)
  t.same(fs.readdirSync(folder), ['secret.key'])
  t.equal(fs.statSync(path.join(folder, 'secret.key')).mode & 0o777, 0o600)
})

t.test('E26, F20: it starts in a long path and in a folder that another user owns', async t => {
  const folder = newFolder()
  t.teardown(() => removeFolder(folder))
  const long = path.join(folder, 'd'.repeat(60), 'e'.repeat(60))
  fs.mkdirSync(long, { recursive: true })
  const server = await startEmbedded(folder)
  t.match(server.url, encodeURIComponent(path.join(folder, 'socket')), 'beside the data, where others may not write')
  await server.stop()
  t.notOk(fs.existsSync(path.join(folder, 'socket')))

  const child = startIn(folder, long)
  await until(() => fs.existsSync(path.join(folder, 'socket/.s.PGSQL.5432')), 60_000)
  t.pass('a long TMPDIR is not used')
  const exit = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exit

  const far = await startEmbedded(path.join(long, 'data'))
  const short = encodeURIComponent(path.join(os.tmpdir(), 'rollcall-'))
  t.match(far.url, `host=${short}`, 'a long DATA_DIR has its socket under a name that cannot be guessed')
  await far.stop()
})

t.test('E26: the database server’s message at a failed start is one line', async t => {
  const folder = newFolder()
  t.teardown(() => removeFolder(folder))
  const server = await startEmbedded(folder)
  await server.stop()
  fs.appendFileSync(path.join(folder, 'pg18/postgresql.conf'), 'no_such_setting = 1\nshared_buffers = lots\n')
  const failed = await startServer({ environment: { DATA_DIR: folder } })
  t.equal((await failed.exit).code, 1)
  t.equal(failed.stderr().length, 1)
  t.match(failed.stderr(), [
    /^Rollcall could not start: the embedded database: the database server ended \(1\): .*no_such_setting/
  ])
})
