import t from 'tap'
import { readConfig } from '../../src/config/env.ts'
import { keepSynced } from '../../src/groups/decisions/keep-synced.ts'
import { syncNext } from '../../src/sync/sync-due.ts'
import { startFake } from '../support/fake-directory.ts'
import { stage } from '../support/faults.ts'
import { readIds } from '../support/larkfield.ts'
import { isLong } from '../support/long.ts'
import { one, sql } from '../support/people.ts'
import { type Server, until } from '../support/server.ts'
import { bindDn, bindPassword, dnOf, groups, suffix } from '../support/slapd.ts'

const before = Array.from({ length: 700 }, (_, index) => `person${index}`)
const after = [...before.slice(20), ...Array.from({ length: 20 }, (_, index) => `newcomer${index}`)]
const uuid = (text: string) =>
  `00000000-0000-4000-8000-${Buffer.from(text).toString('hex').slice(-12).padStart(12, '0')}`
const personOf = (uid: string) => ({
  dn: dnOf(uid),
  attributes: {
    ...{ objectClass: ['inetOrgPerson'], uid: [uid], cn: [uid], mail: [`${uid}@larkfield.example`] },
    entryUUID: [uuid(uid)]
  }
})
const groupOf = (uids: string[]) => ({
  dn: `cn=staff,${groups}`,
  attributes: { objectClass: ['groupOfNames'], cn: ['staff'], entryUUID: [uuid('staff')], member: uids.map(dnOf) }
})
const entriesOf = (uids: string[]) => [groupOf(uids), ...uids.map(personOf)]

t.test(
  'R4: a worker killed at any page, or while applying, leaves the team unchanged; the next one finishes',
  async t => {
    const fake = await startFake({ entries: entriesOf(before) })
    t.teardown(() => fake.stop())
    const environment = {
      ...{ LDAP_URL: fake.url, LDAP_BIND_DN: bindDn, LDAP_BIND_PASSWORD: bindPassword, LDAP_BASE_DN: suffix },
      LDAP_SIGN_IN: 'on'
    }
    const { db, start } = await stage(t, { template: 'larkfield' })
    const deps = { config: readConfig(environment), db, secretKey: Buffer.alloc(32, 7) }
    const { ada } = await readIds(db)
    t.match(await keepSynced(deps, ada, [uuid('staff')]), { outcome: 'kept' })
    while (await syncNext(deps));
    const team = async () => {
      const rows = await db.execute<{ key: string }>(sql`
      select p.address_key as key from memberships m join people p on p.id = m.person_id`)
      return rows.map(({ key }) => key.split('@')[0]!).sort()
    }
    t.same(await team(), before.toSorted())

    fake.entries = entriesOf(after)
    const state = () =>
      one(
        db,
        sql`select state, attempts, lease_until > now() + interval '60 seconds' as long from sync_runs order by id desc limit 1`
      )
    const goOn = () => db.execute(sql`update sync_runs set lease_until = null, attempts = 0 where state = 'running'`)
    const workUntil = async (isTime: (worker: Server) => unknown) => {
      const worker = await start({ ROLE: 'worker', ...environment })
      await until(() => isTime(worker))
      await worker.stop('SIGKILL')
    }
    await db.execute(sql`update directory_groups set next_run_at = now()`)
    let searches = 0
    let deadAt = 0
    fake.script = ({ kind }) => kind === 'search' && ++searches >= deadAt
    // a group needs at least five requests: the root entry, the group, its members, and two pages of people
    for (deadAt of isLong ? [1, 2, 3, 4, 5] : [4]) {
      searches = 0
      await workUntil(() => searches >= deadAt)
      t.match(await state(), { state: 'running', long: false }, `killed at search ${deadAt}`)
      t.same(await team(), before.toSorted())
      await goOn()
    }

    fake.script = () => false
    const blocker = await db.$client.reserve()
    await blocker`begin`
    await blocker`select from teams for update`
    const waiting = sql`select count(*) as n from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%teams%'`
    await workUntil(async () => (await one<{ n: number }>(db, waiting)).n > 0)
    await blocker`rollback`
    blocker.release()
    t.same(await team(), before.toSorted(), 'killed while it applied')
    await goOn()

    while (await syncNext(deps));
    t.match(await one(db, sql`select state, added, removed, attempts from sync_runs order by id desc limit 1`), {
      ...{ state: 'done', added: 20, removed: 20, attempts: 1 }
    })
    t.same(await team(), after.toSorted())
    t.match(await one(db, sql`select (select count(*) from staging) + (select count(*) from planned) as n`), {
      n: 0
    })
  }
)

t.test('R11: of many workers one reads the directory at a time, and each run is done once', async t => {
  const fake = await startFake({ entries: entriesOf(before.slice(0, 30)) })
  t.teardown(() => fake.stop())
  const environment = { LDAP_URL: fake.url, LDAP_BASE_DN: suffix, LDAP_SIGN_IN: 'on' }
  const { db } = await stage(t, { template: 'larkfield' })
  const deps = { config: readConfig(environment), db, secretKey: Buffer.alloc(32, 7) }
  const { ada } = await readIds(db)
  await keepSynced(deps, ada, [uuid('staff')])
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(Array.from({ length: 5 }, () => syncNext(deps)))
    t.match(await one(db, sql`select count(*) as n from sync_runs where state = 'done' and attempts = 1`), {
      n: round + 1
    })
    t.match(
      await one(
        db,
        sql`select next_run_at between now() + interval '53 minutes' and now() + interval '67 minutes' as spread from directory_groups`
      ),
      { spread: true }
    )
    await db.execute(sql`update directory_groups set next_run_at = now()`)
  }
  t.match(await one(db, sql`select count(*) as n from sync_runs`), { n: 5 })
})

t.test('a run that fails every worker is given up after three tries, and says so', async t => {
  const fake = await startFake({ entries: entriesOf(before.slice(0, 10)) })
  t.teardown(() => fake.stop())
  const { db } = await stage(t, { template: 'larkfield' })
  const deps = {
    config: readConfig({ LDAP_URL: fake.url, LDAP_BASE_DN: suffix, LDAP_SIGN_IN: 'on' }),
    db,
    secretKey: Buffer.alloc(32, 7)
  }
  const { ada } = await readIds(db)
  await keepSynced(deps, ada, [uuid('staff')])
  await db.$client.unsafe(`
    create function stop_here() returns trigger language plpgsql as $$ begin raise exception 'stop here'; end $$;
    create trigger stop_here before insert on memberships for each statement execute function stop_here()`)
  for (let each = 0; each < 3; each += 1) {
    await t.rejects(syncNext(deps))
    await db.execute(sql`update sync_runs set lease_until = null`)
  }
  await syncNext(deps)
  t.match(await one(db, sql`select state, reason from sync_runs`), {
    state: 'failed',
    reason: /could not be finished in 3 tries/
  })
  t.match(await one(db, sql`select count(*) as n from memberships`), { n: 0 })
})
