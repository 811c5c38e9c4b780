/**
 * Syncing one group of a real slapd: the first time, then unchanged, compared with `ldapsearch` reading the same entries
 * and the floor of writing the same rows on the same server. Rollcall is a separate process, set up over HTTP.
 */
import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Database } from '../src/db/client.ts'
import { startEmbedded } from '../src/db/embedded/start.ts'
import { openDirectory } from '../src/ldap/open-directory.ts'
import {
  bindDn,
  bindPassword,
  dnOf,
  group,
  groups,
  person,
  type Slapd,
  startSlapd,
  suffix
} from '../test/support/slapd.ts'
import { type AppProcess, startOnServer } from './support/app-process.ts'
import { syncFloorSeconds } from './support/sync-floor.ts'

const rounds = 3
const attributes = 'entryUUID mail cn sn givenName displayName departmentNumber ou title manager objectClass'.split(' ')

export async function run(sizes: number[]): Promise<void> {
  console.log('people     ldapsearch s   floor s   first s   ratio   again s   ratio   start MB   peak MB   strategy')
  for (const size of sizes.length > 0 ? sizes : [1_000, 20_000]) await measure(size)
}

async function measure(size: number) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-bench-'))
  fs.chmodSync(folder, 0o755)
  const slapd = await startSlapd({ entries: entriesOf(size) })
  const server = await startEmbedded(folder)
  try {
    const floor = await syncFloorSeconds(server.url, size)
    const ours = await sync(server.url, folder, slapd)
    const whole = ours.search + floor
    const cells = [
      String(size).padEnd(10),
      ours.search.toFixed(2).padStart(12),
      floor.toFixed(2).padStart(9),
      ours.first.toFixed(2).padStart(9),
      ((ours.first - floor) / ours.search).toFixed(2).padStart(7),
      ours.again.toFixed(2).padStart(9),
      (ours.again / ours.search).toFixed(2).padStart(7),
      ours.startMegabytes.toFixed(0).padStart(10),
      ours.peakMegabytes.toFixed(0).padStart(9),
      `   ${ours.strategy}; first is ${(ours.first / whole).toFixed(2)} of both`
    ]
    console.log(cells.join(' '))
  } finally {
    await slapd.stop()
    await server.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const departments = ['Sales', 'Law', 'Engineering', 'Finance', 'Stores']

function entriesOf(size: number) {
  const names = Array.from({ length: size }, (_, index) => `person${index}`)
  const people = names.map((uid, index) =>
    person(uid, {
      ...{ entryUUID: randomUUID(), displayName: `Person ${index}`, title: `Title ${index % 40}` },
      ...{ departmentNumber: departments[index % departments.length]!, manager: dnOf(`person${index % 100}`) }
    })
  )
  return [...people, group('everybody', names.map(dnOf))]
}

async function sync(serverUrl: string, folder: string, slapd: Slapd) {
  const { app, db, drop } = await startOnServer(serverUrl, folder, {
    LDAP_SIGN_IN: 'on',
    ...{ LDAP_URL: slapd.url, LDAP_BIND_DN: bindDn, LDAP_BIND_PASSWORD: bindPassword, LDAP_BASE_DN: suffix }
  })
  try {
    return await measureRuns(app, db, slapd)
  } finally {
    await drop()
  }
}

async function measureRuns(app: AppProcess, db: Database, slapd: Slapd) {
  const startMegabytes = app.peakMegabytes()
  const [found] = (await openDirectory(slapd.settings).searchGroups('everybody', 1)).groups
  const searches = [await searchSeconds(slapd)]
  const answer = await app.post('/groups', new URLSearchParams({ group: found!.id }))
  if (answer.status !== 303) throw new Error(`POST /groups returned ${answer.status}: ${await answer.text()}`)
  const first = await runSeconds(db, 1)
  const again: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    searches.push(await searchSeconds(slapd))
    await db.$client.unsafe(`update directory_groups set next_run_at = now(); notify rollcall_work`)
    again.push(await runSeconds(db, round + 2))
  }
  const [row] = await db.$client.unsafe(`select receipt->>'strategy' as strategy from sync_runs order by id limit 1`)
  const median = (times: number[]) => times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)]!
  return {
    ...{ search: median(searches), first, again: median(again), strategy: row!.strategy as string },
    ...{ startMegabytes, peakMegabytes: app.peakMegabytes() }
  }
}

/** How long run number `n` took, from the request or start until its end. */
async function runSeconds(db: Database, n: number): Promise<number> {
  for (;;) {
    const [row] = await db.$client.unsafe(
      `select state, reason, extract(epoch from finished_at - created_at)::float as seconds from sync_runs order by id offset ${n - 1} limit 1`
    )
    if (row && row.state !== 'running') {
      if (row.state !== 'done') throw new Error(`run ${n} is ${row.state}: ${row.reason}`)
      return row.seconds as number
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** The C client reading the group and then all people, in pages, with the attributes that Rollcall reads. */
async function searchSeconds({ url }: Slapd): Promise<number> {
  const signIn = ['-x', '-LLL', '-H', url, '-D', bindDn, '-w', bindPassword]
  const begin = performance.now()
  execFileSync('ldapsearch', [...signIn, '-b', `cn=everybody,${groups}`, '-s', 'base'], { maxBuffer: 2 ** 30 })
  const child = spawn(
    'ldapsearch',
    [...signIn, '-E', 'pr=500/noprompt', '-b', suffix, '(objectClass=inetOrgPerson)', ...attributes],
    { stdio: ['ignore', 'ignore', 'inherit'] }
  )
  const code = await new Promise(resolve => child.once('exit', resolve))
  if (code !== 0) throw new Error(`ldapsearch exited with ${code}`)
  return (performance.now() - begin) / 1000
}
