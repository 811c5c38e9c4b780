import t from 'tap'
import { startApp } from '../../support/app.ts'
import { addGroup } from '../../support/groups.ts'
import { one, sql } from '../../support/people.ts'

const { db, browser, close } = await startApp()
t.teardown(close)
const at = (name: string) => `${name}@larkfield.example`
const group = await addGroup(
  db,
  'Engineering',
  ['anna', 'bela', 'carl', 'dora'].map(name => ({ email: at(name), name }))
)
const [ben, cleo] = [await browser('ben'), await browser('cleo')]

/** A run that has parked the removal of these people. */
async function park(...names: string[]): Promise<string> {
  const { id } = await one<{ id: number }>(
    db,
    sql`insert into sync_runs (group_id, state, cause, finished_at, parked, reason)
      values (${group.id}, 'parked', 'schedule', now(), ${names.length}, 'These are more than 10 % of the group') returning id`
  )
  for (const name of names)
    await db.execute(
      sql`insert into sync_changes (run_id, kind, person_id) values (${id}, 'parked', ${group.people[name]!})`
    )
  await db.execute(sql`update directory_groups set last_run_id = ${id} where id = ${group.id}`)
  return `/groups/${group.id}/sync-runs/${id}`
}
const members = async () => {
  const rows = await db.execute<{ name: string; source: string }>(
    sql`select p.name, m.source from memberships m join people p on p.id = m.person_id where m.team_id = ${group.teamId} order by 1, 2`
  )
  return rows.map(({ name, source }) => `${name} ${source}`)
}

t.test('parked removals are listed, approved by name, and can be put back', async t => {
  const url = await park('anna', 'bela')
  const page = (await ben.get(url)).body
  t.match(page, /2 wait for approval[\s\S]*more than 10 % of the group/)
  t.match(page, /data-count="parked" data-value="2"/)
  t.match(page, /anna@larkfield\.example[\s\S]*bela@larkfield\.example/)
  t.match(
    page,
    /If you approve, 2 leave the team\. People removed from the team can be put back for 30 days\./,
    'what the button does'
  )
  t.notMatch((await cleo.get(url)).body, /Approve 2/)
  t.equal((await ben.post(`${url}/undo`)).statusCode, 409, 'nothing went yet')
  t.match(await ben.post(`${url}/approval`), { statusCode: 303, headers: { location: url } })
  t.same(await members(), ['carl directory', 'dora directory'])
  t.equal((await ben.post(`${url}/approval`)).statusCode, 409, 'once')
  const after = (await ben.get(url)).body
  t.match(after, /2 removed[\s\S]*Approved: [^<]*, Ben/)
  t.match(after, /Put 2 back/)
  t.match(await ben.post(`${url}/undo`), { statusCode: 303 })
  t.same(await members(), ['anna hand', 'bela hand', 'carl directory', 'dora directory'])
  t.match((await ben.get(url)).body, /Put back by Ben/)
  t.equal((await ben.post(`${url}/undo`)).statusCode, 409)
})

t.test('a failed run lists no one and offers admins another', async t => {
  const other = await addGroup(db, 'Failing')
  const { run } = await one<{ run: string }>(
    db,
    sql`update sync_runs set state = 'failed', reason = 'The server hung up' where group_id = ${other.id} returning id as run`
  )
  const url = `/groups/${other.id}/sync-runs/${run}`
  const page = (await ben.get(url)).body
  t.match(page, /The server hung up/)
  t.match(page, new RegExp(`action="/groups/${other.id}/sync-runs"`))
  t.notMatch(page, /id="diff-t"|No one\./, 'there is no list of changes, not even an empty one')
  t.notMatch((await cleo.get(url)).body, /Sync again/)
})

t.test('after 30 days nothing can be put back', async t => {
  const url = await park('carl')
  await ben.post(`${url}/approval`)
  await db.execute(sql`update sync_runs set approved_at = now() - interval '31 days' where group_id = ${group.id}`)
  t.notMatch((await ben.get(url)).body, /Put 1 back|\/undo"/)
  t.equal((await ben.post(`${url}/undo`)).statusCode, 409)
})

t.test('a run of another group, or an unknown one, is not found', async t => {
  const other = await addGroup(db, 'Sales')
  const { run } = await one<{ run: string }>(
    db,
    sql`select last_run_id as run from directory_groups where id = ${other.id}`
  )
  t.equal((await ben.get(`/groups/${other.id}/sync-runs/${run}`)).statusCode, 200)
  t.equal((await ben.get(`/groups/${group.id}/sync-runs/${run}`)).statusCode, 404)
  t.equal((await ben.post(`/groups/${group.id}/sync-runs/${run}/approval`)).statusCode, 404)
  for (const bad of ['0', 'x', '1e3', '%20'])
    t.equal((await ben.get(`/groups/${group.id}/sync-runs/${bad}`)).statusCode, 404)
})

t.test('earlier syncs are one click away, and a failed one says why', async t => {
  await db.execute(
    sql`insert into sync_runs (group_id, state, cause, finished_at, reason) values (${group.id}, 'failed', 'schedule', now(), 'The server hung up')`
  )
  const { run } = await one<{ run: string }>(db, sql`select max(id) as run from sync_runs`)
  const page = (await cleo.get(`/groups/${group.id}/sync-runs/${run}`)).body
  t.match(page, /This sync changed nothing[\s\S]*The server hung up/)
  t.match(page, /Sync history[\s\S]*Failed: nothing was changed/)
})
