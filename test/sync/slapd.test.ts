/** From a real OpenLDAP to the team, through the application's own forms and worker. */
import { execFileSync } from 'node:child_process'
import t from 'tap'
import { startApp } from '../support/app.ts'
import { one, sql } from '../support/people.ts'
import { bindDn, bindPassword, dnOf, group, groups, people, person, startSlapd, suffix } from '../support/slapd.ts'

const crowd = Array.from({ length: 60 }, (_, index) => `crowd${String(index).padStart(2, '0')}`)
const slapd = await startSlapd({
  modules: ['memberof', 'ppolicy'],
  database: [`rootpw admin-secret`],
  entries: [
    ...['anna', 'bert', 'cora'].map(uid =>
      person(uid, { departmentNumber: 'Sales', title: 'Clerk', manager: dnOf('anna') })
    ),
    person('dora', { mail: [] }),
    person('emil', { pwdAccountLockedTime: '000001010000Z' }),
    person('fred', { mail: 'fred@elsewhere.example' }),
    person('gina', { mail: 'ANNA@larkfield.example' }),
    ...crowd.map(uid => person(uid)),
    group('Inner', [dnOf('bert'), `cn=Sales,${groups}`]),
    group('Sales', [
      ...['anna', 'cora', 'dora', 'emil', 'fred', 'gina', 'nobody'].map(dnOf),
      ...[`CN=Inner, ${groups}`, 'uid=x,dc=elsewhere']
    ]),
    group('Crowd', crowd.map(dnOf))
  ]
})
const rollcall = await startApp({
  environment: {
    ...{ LDAP_URL: slapd.url, LDAP_BIND_DN: bindDn, LDAP_BIND_PASSWORD: bindPassword, LDAP_BASE_DN: suffix },
    LDAP_SIGN_IN: 'on'
  }
})
t.teardown(() => Promise.all([slapd.stop(), rollcall.close()]))
const { db, browser, work } = rollcall
const ben = await browser('ben')

const change = (ldif: string) =>
  execFileSync('ldapmodify', ['-x', '-H', slapd.url, '-D', `cn=admin,${suffix}`, '-w', 'admin-secret'], {
    input: ldif,
    stdio: 'pipe'
  })
const team = async (name: string) => {
  const rows = await db.execute<{ email: string }>(sql`
    select p.email from teams t join memberships m on m.team_id = t.id join people p on p.id = m.person_id
    where t.name = ${name} order by p.email`)
  return rows.map(({ email }) => email.replace('@larkfield.example', ''))
}
const syncNow = async (name: string) => {
  await db.execute(sql`update directory_groups set next_run_at = now() where name = ${name}`)
  await work()
  return one<Record<string, unknown>>(
    db,
    sql`
    select r.* from directory_groups g join sync_runs r on r.id = g.last_run_id where g.name = ${name}`
  )
}
const keep = async (name: string) => {
  const { body } = await ben.get(`/groups?q=${name}`)
  const id = /name="group"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="group"/.exec(body)
  const answer = await ben.post('/groups', { group: (id?.[1] ?? id?.[2])! })
  t.match(answer, { statusCode: 303, headers: { location: '/groups' } })
  await work()
}

t.test('a group with nested groups, a circle and every possible error in lists becomes a team', async t => {
  await keep('Sales')
  t.same(await team('Sales'), ['anna', 'bert', 'cora', 'emil', 'fred@elsewhere.example'])
  const run = await one<Record<string, unknown>>(db, sql`select r.* from sync_runs r order by id desc limit 1`)
  t.match(run, {
    state: 'done',
    added: 5,
    receipt: {
      ...{ resolved: 7, nestedGroups: 1, cyclesCut: 1, dangling: 1, foreignBase: 1 },
      ...{ noMail: 1, doubled: 1, disabled: 1, foreign: 1, before: 0, after: 5 }
    }
  })
  t.match(
    await one(
      db,
      sql`select m.via from memberships m join people p on p.id = m.person_id where p.address_key = 'bert@larkfield.example'`
    ),
    { via: 'Inner' }
  )
  t.match(
    await one(db, sql`select department, title, manager from people where address_key = 'cora@larkfield.example'`),
    {
      ...{ department: 'Sales', title: 'Clerk', manager: dnOf('anna') }
    }
  )
  t.match(await one(db, sql`select count(*) as n from deliveries`), { n: 0 }, 'a sync never sends mail')
})

t.test(
  'people who are renamed, moved or change department stay the same; a renamed group stays the same team',
  async t => {
    const before = await one(db, sql`select id from people where address_key = 'cora@larkfield.example'`)
    change(`dn: ${dnOf('cora')}\nchangetype: modrdn\nnewrdn: uid=cora.new\ndeleteoldrdn: 1\n`)
    change(
      `dn: uid=cora.new,${people}\nchangetype: modify\nreplace: departmentNumber\ndepartmentNumber: Law\n-\nreplace: mail\nmail: cora.new@larkfield.example\n`
    )
    change(
      `dn: cn=Sales,${groups}\nchangetype: modify\ndelete: member\nmember: ${dnOf('cora')}\n-\nadd: member\nmember: uid=cora.new,${people}\n`
    )
    change(`dn: cn=Sales,${groups}\nchangetype: modrdn\nnewrdn: cn=Sales and Law\ndeleteoldrdn: 1\n`)
    t.match(await syncNow('Sales').catch(() => ({})), {})
    t.same(await team('Sales'), [])
    t.same(await team('Sales and Law'), ['anna', 'bert', 'cora.new', 'emil', 'fred@elsewhere.example'])
    t.match(await one(db, sql`select id, department from people where address_key = 'cora.new@larkfield.example'`), {
      ...before,
      department: 'Law'
    })
  }
)

t.test('R9: people who leave are removed; too many at once wait', async t => {
  await keep('Crowd')
  t.equal((await team('Crowd')).length, 60)
  const without = (uids: string[]) =>
    change(
      `dn: cn=Crowd,${groups}\nchangetype: modify\ndelete: member\n${uids.map(uid => `member: ${dnOf(uid)}`).join('\n')}\n`
    )
  without(crowd.slice(0, 6))
  t.match(await syncNow('Crowd'), { state: 'done', removed: 6 })
  without(crowd.slice(6, 20))
  t.match(await syncNow('Crowd'), { state: 'parked', removed: 0, parked: 14 })
  t.equal((await team('Crowd')).length, 54)
})

t.test('R7: a hung or unreachable server changes nothing, and the run says why within seconds', async t => {
  const before = await team('Crowd')
  process.kill(slapd.pid, 'SIGSTOP')
  const start = Date.now()
  const run = await syncNow('Crowd')
  t.match(run, { state: 'failed', reason: /./ })
  t.ok(Date.now() - start < 25_000, `${Date.now() - start} ms`)
  t.same(await team('Crowd'), before)
  process.kill(slapd.pid, 'SIGCONT')
  t.match(await syncNow('Crowd'), { state: 'parked' })
  await slapd.stop()
  t.match(await syncNow('Crowd'), { state: 'failed', reason: /refused|connect/i })
  t.same(await team('Crowd'), before)
  t.match((await ben.get('/groups')).body, /Failed/)
})
