import t from 'tap'
import { approve, undo } from '../../src/groups/decisions/decide.ts'
import { stopSyncing } from '../../src/groups/decisions/stop-syncing.ts'
import { startApp } from '../support/app.ts'
import { entry, startSyncing } from '../support/directory.ts'
import { one, sql } from '../support/people.ts'
import { everyRow } from '../support/rows.ts'

const app = await startApp()
t.teardown(app.close)
const { db, ids } = app
const { ben } = ids
const { deps, keep, read, members, changes, lastRun, directory } = await startSyncing(app)

const crowd = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => entry(`${prefix}${String(index).padStart(3, '0')}`))

t.test(
  'R9: up to 10 % of a group is removed automatically, more waits for approval, and additions are always applied',
  async t => {
    for (const [missing, state] of [
      [0, 'done'],
      [1, 'done'],
      [9, 'done'],
      [10, 'done'],
      [11, 'parked'],
      [100, 'parked']
    ] as const) {
      const prefix = `r9-${missing}-`
      const all = crowd(prefix, 100)
      await keep(prefix, all)
      const run = await read(prefix, [...all.slice(missing), entry(`${prefix}new`)])
      const isParked = state === 'parked'
      t.match(run, { state, added: 1, removed: isParked ? 0 : missing, parked: isParked ? missing : 0 }, `${missing} %`)
      t.equal((await members(prefix)).length, isParked ? 101 : 101 - missing)
      if (isParked) t.match(run.reason, `${missing} of 100 people would be removed from the team`)
    }
  }
)

t.test('R9: of a team of five, four are removed automatically, and all five wait', async t => {
  const five = crowd('five-', 5)
  await keep('five', five)
  t.match(await read('five', five.slice(0, 1)), { state: 'done', removed: 4 })
  t.match(await read('five', []), { state: 'parked', removed: 0, parked: 1 })
  t.equal((await members('five')).length, 1)
})

t.test('approval removes exactly the listed people, once, and they stay in People', async t => {
  const all = crowd('ok-', 20)
  const groupId = await keep('ok', all)
  const run = await read('ok', all.slice(10))
  t.equal((await changes(run.id)).filter(text => text.startsWith('parked')).length, 10)
  // in the meantime one of them was added by hand
  await db.execute(sql`insert into memberships (team_id, person_id, source)
    select g.team_id, p.id, 'hand' from directory_groups g, people p where g.id = ${groupId} and p.address_key = 'ok-000@larkfield.example'`)
  t.same(await approve(db, ben, groupId, run.id), { outcome: 'done', people: 10, forOwner: 0 })
  t.same(await approve(db, ben, groupId, run.id), { outcome: 'wrong-state' })
  t.match(await lastRun('ok'), { state: 'done', removed: 10, reason: null })
  const left = await members('ok')
  t.equal(left.length, 11)
  t.ok(left.includes('ok-000 hand'), 'what was added by hand is not the directory’s to take')
  t.equal((await changes(run.id)).filter(text => text.startsWith('removed')).length, 10)
  t.match(await one(db, sql`select member_count from directory_groups where id = ${groupId}`), { memberCount: 10 })
  t.match(
    await one(
      db,
      sql`select t.member_count from teams t join directory_groups g on g.team_id = t.id where g.id = ${groupId}`
    ),
    { memberCount: 11 }
  )
  t.match(await one(db, sql`select count(*) as n from people where address_key like 'ok-%'`), { n: 20 })
  t.match(
    await one(
      db,
      sql`select details->>'removed' as removed, actor_id as actor from events where kind = 'removals-approved'`
    ),
    { removed: '10', actor: ids.ben }
  )
  t.same(await approve(db, ben, groupId, 987654321), { outcome: 'unknown' })
})

t.test('a newer run replaces one that waits; people who came back are not removed by an old list', async t => {
  const all = crowd('newer-', 20)
  const groupId = await keep('newer', all)
  const old = await read('newer', all.slice(10))
  const run = await read('newer', all.slice(8))
  t.match(run, { state: 'parked', parked: 8 })
  t.same(await approve(db, ben, groupId, old.id), { outcome: 'wrong-state' })
  t.same(await changes(old.id), [])
  t.match(await read('newer', all), { state: 'done', parked: 0 })
  t.same(await approve(db, ben, groupId, run.id), { outcome: 'wrong-state' })
  t.equal((await members('newer')).length, 20)
})

t.test(
  'removed people can be put back within 30 days, stay through the next run, and then belong to the directory again',
  async t => {
    const all = crowd('undo-', 20)
    const groupId = await keep('undo', all)
    const run = await read('undo', all.slice(2))
    t.match(run, { removed: 2 })
    t.same(await undo(db, ben, groupId, run.id), { outcome: 'done', people: 2, forOwner: 0 })
    t.same(await undo(db, ben, groupId, run.id), { outcome: 'wrong-state' })
    t.same((await members('undo')).slice(0, 2), ['undo-000 hand', 'undo-001 hand'])
    await read('undo')
    t.equal((await members('undo')).length, 20)
    await read('undo', all.slice(1))
    t.same((await members('undo')).slice(0, 2), ['undo-000 hand', 'undo-001 directory'])

    const late = await read('undo', all.slice(3))
    await db.execute(sql`update sync_runs set finished_at = now() - interval '31 days' where id = ${late.id}`)
    t.same(await undo(db, ben, groupId, late.id), { outcome: 'wrong-state' })
  }
)

t.test('a run that cannot be proved complete changes nothing, additions included, and says why', async t => {
  const all = crowd('whole-', 20)
  await keep('whole', all)
  const group = directory.groups.get('whole')!
  const rows = async () => (await everyRow(db)).filter(row => !/^(sync_runs|directory_groups|events) /.test(row))
  const before = await rows()
  const fails = async (reason: RegExp) => {
    const run = await read('whole', [...all.slice(10), entry('whole-new')])
    t.match(run, { state: 'failed', reason, added: 0, removed: 0 })
    t.same(await rows(), before)
  }
  group.instead = { outcome: 'failed', reason: 'The server cut the answer' }
  await fails(/The server cut the answer/)
  group.instead = { outcome: 'missing' }
  await fails(/no longer in the directory/)
  delete group.instead
  group.problems = ['3 of its 20 members cannot be found']
  await fails(/3 of its 20 members cannot be found/)
  delete group.problems
  directory.isDown = true
  await fails(/does not answer/)
  directory.isDown = false
  group.instead = undefined as never
  t.match(await read('whole', all), { state: 'done' })
  const failures = sql`select count(*) as n from events where kind = 'group-failed'`
  t.match(await one(db, failures), { n: 1 }, 'the first failure in a row is news')
})

t.test('fewer people than were counted is not the whole group', async t => {
  const all = crowd('count-', 20)
  await keep('count', all)
  const good = directory.port.readGroup
  directory.port.readGroup = async (id, take) => {
    const result = await good(id, people => take(people.slice(1)))
    return result
  }
  t.match(await read('count'), { state: 'failed', reason: /20 people were found but 19 came/ })
  directory.port.readGroup = good
})

t.test('R4: if a database crash empties the staged rows, nothing is applied; the next try succeeds', async t => {
  const all = crowd('crash-', 20)
  await keep('crash', all)
  await db.$client.unsafe(`
    create function crash() returns trigger language plpgsql as $$ begin delete from staging; return null; end $$;
    create trigger crash after insert on planned for each statement execute function crash()`)
  await t.rejects(read('crash', all.slice(1)), { message: /of 20 people read|of 19 people read, 0 are staged/ })
  t.equal((await members('crash')).length, 20)
  t.match(await lastRun('crash'), { state: 'running' })
  await db.$client.unsafe('drop function crash cascade')
  await db.execute(sql`update sync_runs set lease_until = null where state = 'running'`)
  t.match(await read('crash'), { state: 'done', added: 0, removed: 1 })
})

t.test('when a group is no longer synced, its team stays with its people, or is deleted with it', async t => {
  const groupId = await keep('stop', crowd('stop-', 3), 'Stopped')
  await db.execute(sql`insert into teams (name, source) values ('stopped', 'hand')`)
  t.same(await stopSyncing(db, ids.ben, groupId, 'keep'), { outcome: 'stopped' })
  t.same(await stopSyncing(db, ids.ben, groupId, 'keep'), { outcome: 'unknown' })
  t.same(await members('stop'), ['stop-000 hand', 'stop-001 hand', 'stop-002 hand'])
  t.match(
    await one(
      db,
      sql`select t.name, t.source from teams t join directory_groups g on g.team_id = t.id where g.id = ${groupId}`
    ),
    { name: /^Stopped \(\d+\)$/, source: 'hand' }
  )

  t.equal(await keep('stop', crowd('stop-', 2), 'Stopped'), groupId, 'synced again, the group keeps its team')
  t.same(await members('stop'), ['stop-000 directory', 'stop-001 directory', 'stop-002 hand'])
  t.same(await stopSyncing(db, ids.ben, groupId, 'remove'), { outcome: 'stopped' })
  t.same(await members('stop'), [])
  await keep('stop', crowd('stop-', 2), 'Stopped')
  t.equal((await members('stop')).length, 2)
})

t.test('while no organization sign-in is on, no group is synced', async t => {
  const { keepSynced } = await import('../../src/groups/decisions/keep-synced.ts')
  const off = { ...deps, config: { ...deps.config, ldapSignIn: false } }
  t.same(await keepSynced(off, ids.ben, ['stop']), { outcome: 'no-sign-in' })
  t.same(await keepSynced(deps, ids.ben, ['nothing']), { outcome: 'unknown', directoryIds: ['nothing'] })
})
