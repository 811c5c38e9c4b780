/** E8: if the directory temporarily refers a branch elsewhere, no one leaves a team or becomes a leaver. */
import t from 'tap'
import { addUser, startApp } from '../support/app.ts'
import { changeDirectory, writable } from '../support/cases.ts'
import { entry, startSyncing } from '../support/directory.ts'
import { environmentOf } from '../support/directory-site.ts'
import { one, sql } from '../support/people.ts'
import { dnOf, group, groups, person, startSlapd, suffix } from '../support/slapd.ts'

const branch = `ou=branch,${suffix}`
const away = (name: string) => `uid=${name},${branch}`
const unit = { dn: branch, objectClass: 'organizationalUnit', ou: 'branch' }
const names = ['bea', 'bob', 'nia']

t.test('E8: members below a referral stay in the team, with the reason, until the group drops them', async t => {
  const slapd = await startSlapd({
    database: writable,
    entries: [
      ...[unit, person('ada')],
      ...names.map(name => ({ ...person(name), dn: away(name) })),
      { ...group('inner', [away('nia')]), dn: `cn=inner,${branch}` },
      group('staff', [dnOf('ada'), away('bea'), away('bob'), `cn=inner,${branch}`])
    ]
  })
  const site = await startApp({ environment: environmentOf(slapd) })
  t.teardown(() => Promise.all([slapd.stop(), site.close()]))
  const { db } = site
  const browser = await site.browser('ben')
  const found = (await browser.get('/groups?q=staff')).body
  await browser.post('/groups', {
    group: /name="group"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="group"/.exec(found)!.slice(1).find(Boolean)!
  })
  const sync = async () => {
    await db.execute(sql`update directory_groups set next_run_at = now()`)
    await db.execute(sql`update people set directory_check_at = now() where directory_check_at is not null`)
    await site.work()
    return one<{
      state: string
      removed: number
      reason: string | null
      receipt: Record<string, number>
      groupId: string
    }>(db, sql`select * from sync_runs order by id desc limit 1`)
  }
  const members = async () => {
    const rows = await db.execute<{ name: string }>(
      sql`select split_part(p.email, '@', 1) as name from memberships m join people p on p.id = m.person_id order by 1`
    )
    return rows.map(({ name }) => name)
  }
  await site.work()
  t.same(await members(), ['ada', ...names])

  const gone = [`cn=inner,${branch}`, ...names.map(away), branch]
  changeDirectory(slapd, gone.map(dn => `dn: ${dn}\nchangetype: delete\n`).join('\n'))
  changeDirectory(
    slapd,
    `dn: ${branch}\nobjectClass: referral\nobjectClass: extensibleObject\nou: branch\nref: ldap://192.0.2.1/${branch}\n`
  )
  for (const turn of ['the first time', 'and again, with nothing new']) {
    const run = await sync()
    t.match(run, { state: 'done', removed: 0, receipt: { elsewhere: 3, keptAway: 3, before: 4, after: 4 } }, turn)
    t.same(await members(), ['ada', ...names], turn)
    t.match(
      (await browser.get(`/groups/${run.groupId}`)).body,
      'The directory lists 4 members: 1 in the team, 3 kept in the team although another directory has them.'
    )
  }

  changeDirectory(slapd, `dn: cn=staff,${groups}\nchangetype: modify\ndelete: member\nmember: ${away('bea')}\n`)
  t.match(await sync(), { state: 'done', removed: 1, receipt: { elsewhere: 2, keptAway: 2 } })
  t.same(await members(), ['ada', 'bob', 'nia'])
  await sync()
  t.match(
    await one(db, sql`select gone_from_directory_at from people where email like 'bea@%'`),
    { goneFromDirectoryAt: null },
    'whether she left the directory is not known'
  )
})

t.test(
  'E8, S38: a person who is not found but not proved deleted is no leaver; Rollcall asks again in an hour',
  async t => {
    const app = await startApp()
    t.teardown(app.close)
    const { db } = app
    const { keep, read, directory } = await startSyncing(app)
    await db.execute(sql`update directory_settings set deactivate_leavers = true`)
    await addUser(db, 'kim', 'member')
    const others = Array.from({ length: 8 }, (_, index) => entry(`stays${index}`))
    await keep('all', [entry('kim'), ...others])
    directory.unproved.add('entry-kim')
    const kim = async () =>
      one(
        db,
        sql`select stage, gone_from_directory_at is not null as gone, directory_check_at > now() + interval '50 minutes' as later
        from people where email like 'kim@%'`
      )
    await read('all', others)
    t.match(await kim(), { stage: 'signed-up', gone: false, later: true })
    directory.unproved.clear()
    await db.execute(sql`update people set directory_check_at = now() where directory_check_at is not null`)
    await read('all')
    t.match(await kim(), { stage: 'deactivated', gone: true })
  }
)
