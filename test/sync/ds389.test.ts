/** From a real 389 Directory Server to the team, through the application's own forms and worker; runs where it is installed. */
import t from 'tap'
import { startApp } from '../support/app.ts'
import { start389, whyNo389 } from '../support/ds389.ts'
import { one, sql } from '../support/people.ts'
import { bindDn, bindPassword, dnOf, group, groups, person, suffix } from '../support/slapd.ts'

const skip = whyNo389
const names = Array.from({ length: 600 }, (_, index) => `p${String(index).padStart(3, '0')}`)
const server = skip
  ? undefined
  : await start389({
      entries: [
        ...names.map(uid => person(uid, { departmentNumber: 'Sales', title: 'Clerk' })),
        person('off', { nsAccountLock: 'true' }),
        person('silent', { mail: [] }),
        group('Inner', [dnOf('off'), dnOf('silent'), `cn=Crowd,${groups}`]),
        group('Crowd', [...names.map(dnOf), `cn=Inner,${groups}`, dnOf('gone')])
      ]
    })
const rollcall = server
  ? await startApp({
      environment: {
        ...{ LDAP_URL: server.url, LDAP_BIND_DN: bindDn, LDAP_BIND_PASSWORD: bindPassword, LDAP_BASE_DN: suffix },
        LDAP_SIGN_IN: 'on'
      }
    })
  : undefined
t.teardown(() => Promise.all([server?.stop(), rollcall?.close()]))

const team = async () => {
  const rows = await rollcall!.db.execute<{ email: string }>(sql`
    select p.email from teams t join memberships m on m.team_id = t.id join people p on p.id = m.person_id
    where t.name = 'Crowd' order by p.email`)
  return rows.map(({ email }) => email.replace('@larkfield.example', ''))
}
const syncAgain = async () => {
  const { db, work } = rollcall!
  await db.execute(sql`update directory_groups set next_run_at = now()`)
  await work()
  return one<Record<string, unknown>>(
    db,
    sql`select r.* from directory_groups g join sync_runs r on r.id = g.last_run_id where g.name = 'Crowd'`
  )
}

t.test(
  'a group of hundreds with a nested group in a circle becomes a team, and no one gets an email',
  { skip },
  async t => {
    const { browser, db, work } = rollcall!
    const ben = await browser('ben')
    const { body } = await ben.get('/groups?q=Crowd')
    const id = /name="group"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="group"/.exec(body)
    t.match(await ben.post('/groups', { group: (id?.[1] ?? id?.[2])! }), { statusCode: 303 })
    await work()
    t.same(await team(), ['off', ...names])
    t.match(await one<Record<string, unknown>>(db, sql`select r.* from sync_runs r order by id desc limit 1`), {
      state: 'done',
      added: 601,
      receipt: {
        resolved: 602,
        nestedGroups: 1,
        cyclesCut: 1,
        dangling: 1,
        noMail: 1,
        disabled: 1,
        before: 0,
        after: 601
      }
    })
    t.match(await one(db, sql`select count(*) as n from deliveries`), { n: 0 })
  }
)

t.test('renamed people stay the same, deleted people leave, and lost rights change nothing', { skip }, async t => {
  const { db } = rollcall!
  const idOf = (email: string) => one(db, sql`select id from people where address_key = ${email}`)
  const before = await idOf('p000@larkfield.example')
  server!.change(
    [
      `dn: ${dnOf('p000')}\nchangetype: modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1\n`,
      `dn: ${dnOf('renamed')}\nchangetype: modify\nreplace: mail\nmail: renamed@larkfield.example\n`,
      `dn: ${dnOf('p001')}\nchangetype: delete\n`
    ].join('\n')
  )
  t.match(await syncAgain(), { state: 'done', added: 0, removed: 1 })
  t.same(await team(), ['off', ...names.slice(2), 'renamed'])
  t.same(await idOf('renamed@larkfield.example'), before)
  const rights = `(targetattr != "member")(version 3.0; acl "a"; allow (read, search, compare) userdn = "ldap:///${bindDn}";)`
  server!.change(`dn: ${suffix}\nchangetype: modify\nreplace: aci\naci: ${rights}\n`)
  t.match(await syncAgain(), { state: 'failed', removed: 0, reason: /shows no members/ })
  t.equal((await team()).length, 600)
})
