/**
 * The pages of a directory group of 100,000 members and of ten thousand synced groups: any grouping, filter and search,
 * and selecting all members, as a browser requests them, in the process that serves them.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../src/app.ts'
import { readConfig } from '../src/config/env.ts'
import type { Database } from '../src/db/client.ts'
import { startSession } from '../src/sessions/start-session.ts'
import { compactTeamCounts } from '../src/teams/upkeep-store.ts'
import { withServer } from './support/server.ts'

const times = 15

export async function run([members = 100_000, groups = 10_000]: number[]): Promise<void> {
  await withServer(db => measure(db, members, groups))
}

async function measure(db: Database, members: number, groups: number): Promise<void> {
  await fill(db, members, groups)
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-groups-'))
  const config = readConfig({ BASE_URL: 'http://localhost:3000', DATA_DIR: dataDir, LOG_LEVEL: 'silent' })
  const deps = { config, db, secretKey: randomBytes(32), wake: () => {} }
  const app = await buildApp(deps, { setupToken: randomBytes(32).toString('base64url') })
  const session = await startSession(db, 1, { userAgent: null, oldToken: undefined, method: 'password' })
  const headers = { host: 'localhost:3000', cookie: `${app.cookieName}=${session!.token}` }
  console.log(
    `${members.toLocaleString('en')} members, ${groups.toLocaleString('en')} groups: milliseconds, ${times} requests each`
  )
  console.log('page                                                        median      max')
  for (const url of pages) await time(url, () => ask(app, url, headers))
  await select(app, headers)
  await app.close()
  fs.rmSync(dataDir, { recursive: true })
}

const pages = [
  ...['/groups', '/groups?sort=members', '/groups?sort=sync', '/groups?after=5000'],
  ...['department', 'title', 'status'].flatMap(by =>
    [
      '',
      '&q=last12',
      '&q=la',
      '&q=zz',
      '&status=invited',
      '&delivery=sent',
      '&status=signed-up&delivery=sent&q=er'
    ].map(filter => `/groups/1?by=${by}${filter}`)
  ),
  '/groups/1?by=department&open=Department+1&open=Department+2&open=Department+3&open=Department+4',
  '/groups/1?by=status&open=invited&open=not-invited&open=signed-up',
  ...['/teams', '/teams/1', '/teams/1?q=last12']
]

async function time(name: string, act: () => Promise<unknown>, runs = times): Promise<void> {
  const taken: number[] = []
  for (let n = 0; n < runs; n++) {
    const begin = performance.now()
    await act()
    taken.push(performance.now() - begin)
  }
  taken.sort((one, other) => one - other)
  const [median, max] = [taken[runs >> 1]!, taken.at(-1)!].map(each => each.toFixed(1).padStart(8))
  console.log(`${name.slice(0, 57).padEnd(57)} ${median} ${max}`)
}

async function ask(app: FastifyInstance, url: string, headers: Record<string, string>) {
  const answer = await app.inject({ url, headers })
  if (answer.statusCode !== 200) throw new Error(`${url} returned ${answer.statusCode}`)
}

/** Selects all members, then one more, and requests the page, the review and the batch. */
async function select(app: FastifyInstance, headers: Record<string, string>) {
  const form = { ...headers, origin: 'http://localhost:3000', 'content-type': 'application/x-www-form-urlencoded' }
  const post = (path: string, payload: string) =>
    app.inject({ method: 'POST', url: `/groups/1/${path}`, headers: form, payload })
  let location = ''
  await time(
    'POST selections: everybody',
    async () => {
      location = (await post('selections', 'all=1')).headers.location as string
    },
    1
  )
  const selection = new URL(location, 'http://localhost').searchParams.get('selection')!
  await time('POST selections: one off', () => post('selections', `except=7&selection=${selection}`), 5)
  await time('the page with everybody selected', () => ask(app, location, headers))
  await time('the review', () => ask(app, `/groups/1/review?selection=${selection}`, headers), 5)
  await time('POST invitations', () => post('invitations', `selection=${selection}`), 1)
}

/** People in every state, all of them in the first group; the other groups have two each. */
async function fill(db: Database, members: number, groups: number): Promise<void> {
  await db.$client.unsafe(`
    insert into people (email, address_key, name, department, title, invitation_id, invited_at, invitation_expires_at,
      signed_up_at, delivery_state, delivery_id)
    select 'person.' || g || '@larkfield.example', 'person.' || g || '@larkfield.example',
      'First' || g % 997 || ' Last' || g * 7919 % 100003, 'Department ' || g % 40, 'Title ' || g % 600,
      case when g % 3 > 0 then g end, case when g % 3 > 0 then now() end,
      case when g % 3 > 0 then now() + interval '3 days' end, case when g % 3 = 2 then now() end,
      case when g % 3 > 0 then 'sent' end, case when g % 3 > 0 then g end
    from generate_series(1, ${members}) g;
    insert into teams (name, source) select 'Group ' || g, 'directory' from generate_series(1, ${groups}) g;
    insert into directory_groups (directory_id, dn, name, kind, team_id, member_count)
      select 'id-' || id, 'cn=' || id, name, 'group', id, case when id = 1 then ${members} else 2 end from teams;
    insert into sync_runs (group_id, state, cause, finished_at) select id, 'done', 'start', now() from directory_groups;
    update directory_groups g set last_run_id = r.id, last_good_at = now() from sync_runs r where r.group_id = g.id;
    insert into memberships (team_id, person_id, source) select 1, id, 'directory' from people where id > 1;
    insert into memberships (team_id, person_id, source)
      select t.id, 2 + (t.id * 7 + n) % (${members} - 10), 'directory' from teams t cross join generate_series(1, 2) n where t.id > 1`)
  await db.transaction(tx => compactTeamCounts(tx))
  await db.$client.unsafe('vacuum analyze')
}
