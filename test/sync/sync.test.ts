import t from 'tap'
import { startApp } from '../support/app.ts'
import { entry, startSyncing } from '../support/directory.ts'
import { invite, one, sql } from '../support/people.ts'

const app = await startApp()
t.teardown(app.close)
const { db, ids } = app
const { keep, read, members, changes, lastRun, directory } = await startSyncing(app)
const mails = () => one<{ n: number }>(db, sql`select count(*) as n from deliveries`)

t.test('a synced group becomes a team of its people, and no one gets an email', async t => {
  await keep(
    'sales',
    [entry('anna'), entry('bert', { via: 'Field staff' }), entry('cora', { isDisabled: true })],
    'Sales'
  )
  t.same(await members('sales'), ['anna directory', 'bert directory', 'cora directory'])
  t.match(await lastRun('sales'), {
    state: 'done',
    added: 3,
    removed: 0,
    changed: 0,
    receipt: { resolved: 3, disabled: 1 }
  })
  t.same(await changes((await lastRun('sales')).id), ['added anna', 'added bert: by way of Field staff', 'added cora'])
  const team = sql`select t.name, t.source, t.member_count, g.member_count as listed from teams t join directory_groups g on g.team_id = t.id`
  t.match(await one(db, team), { name: 'Sales', source: 'directory', memberCount: 3, listed: 3 })
  t.match(
    await one(
      db,
      sql`select department, title, directory_id, name, stage from people where address_key = 'anna@larkfield.example'`
    ),
    {
      ...{ department: 'Sales', title: 'Clerk', directoryId: 'entry-anna', name: 'Anna', stage: 'not-invited' }
    }
  )
  t.match(await mails(), { n: 0 })
})

t.test('reading an unchanged group again changes nothing and is not an event', async t => {
  const events = () => one<{ n: number }>(db, sql`select count(*) as n from events`)
  const before = await events()
  t.match(await read('sales'), { state: 'done', added: 0, removed: 0, changed: 0 })
  t.same(await events(), before)
})

t.test('a person typed or uploaded before stays the same, with the same invitation and role', async t => {
  await invite(db, ids.ben, 'Dora@larkfield.example')
  await keep('typed', [entry('dora', { mail: 'DORA@Larkfield.example', name: 'Dora D' }), entry('dan')])
  t.same(await members('typed'), ['dan directory', 'dora directory'])
  const dora = sql`select count(*) as n, min(email) as email, min(stage) as stage, min(name) as name from people where address_key = 'dora@larkfield.example'`
  t.match(await one(db, dora), { n: 1, email: 'Dora@larkfield.example', stage: 'invited', name: 'Dora D' })
  t.match(await one(db, sql`select stage, name from people where id = ${ids.dan}`), { stage: 'signed-up', name: 'Dan' })
})

t.test('renames and moves follow the stable id: the person and the team stay the same', async t => {
  await keep('moves', [entry('egon', { id: 'e1' }), entry('fred', { id: 'e2' })], 'Old name')
  const before = await one(db, sql`select id from people where directory_id = 'e1'`)
  directory.groups.get('moves')!.name = 'New name'
  const moved = entry('egon', {
    id: 'e1',
    mail: 'egon.new@larkfield.example',
    dn: 'uid=egon,ou=Gone',
    department: 'Law',
    name: 'Egon N'
  })
  const run = await read('moves', [moved, entry('fred', { id: 'e2' })])
  t.match(run, { state: 'done', added: 0, removed: 0, changed: 1 })
  t.same(await changes(run.id), [
    'changed egon.new: name: Egon → Egon N; address: egon@larkfield.example → egon.new@larkfield.example; department: Sales → Law; moved or renamed in the directory'
  ])
  t.match(await one(db, sql`select id, email from people where directory_id = 'e1'`), {
    ...before,
    email: 'egon.new@larkfield.example'
  })
  t.match(
    await one(
      db,
      sql`select t.name from teams t join directory_groups g on g.team_id = t.id where g.directory_id = 'moves'`
    ),
    { name: 'New name' }
  )
})

t.test('S5: an open invitation and a user keep their address, even if the directory has another', async t => {
  await keep('bound', [entry('gina', { id: 'g1' }), entry('ben', { id: 'b1' })])
  await invite(db, ids.ben, 'gina@larkfield.example')
  await read('bound', [
    entry('gina', { id: 'g1', mail: 'eve@larkfield.example' }),
    entry('ben', { id: 'b1', mail: 'eve2@larkfield.example' })
  ])
  t.same(await members('bound'), ['ben directory', 'gina directory'])
})

t.test('if an entry’s new address was typed before, it is that person, and the membership moves over', async t => {
  await keep('over', [entry('hans', { id: 'h1' }), entry('ina'), entry('jo')])
  await invite(db, ids.ben, 'hans.huber@larkfield.example')
  const run = await read('over', [
    entry('hans', { id: 'h1', mail: 'hans.huber@larkfield.example' }),
    entry('ina'),
    entry('jo')
  ])
  t.match(run, { state: 'done', added: 1, removed: 1 })
  t.same(await members('over'), ['hans.huber directory', 'ina directory', 'jo directory'])
  t.match(await one(db, sql`select address_key from people where directory_id = 'h1'`), {
    addressKey: 'hans.huber@larkfield.example'
  })
})

t.test(
  'people with no, unusable or duplicate addresses are listed, not invented; foreign ones are counted',
  async t => {
    await keep('odd', [
      entry('kim', { mail: null }),
      entry('lea', { mail: 'not an address' }),
      entry('max'),
      entry('max2', { mail: 'MAX@larkfield.example' }),
      entry('nina', { mail: 'nina@elsewhere.example' })
    ])
    t.same(await members('odd'), ['max directory', 'nina@elsewhere.example directory'])
    t.match((await lastRun('odd')).receipt, { resolved: 5, noMail: 1, malformed: 1, doubled: 1, foreign: 1 })
    const rows = await db.execute(sql`select directory_id, reason from left_out order by 1`)
    t.same(rows, [
      { directoryId: 'entry-kim', reason: 'no-mail' },
      { directoryId: 'entry-lea', reason: 'malformed' },
      { directoryId: 'entry-max2', reason: 'doubled' }
    ])
    await read('odd', [
      entry('kim'),
      entry('max'),
      entry('max2', { mail: null }),
      entry('nina', { mail: 'nina@elsewhere.example' })
    ])
    t.same(await members('odd'), ['kim directory', 'max directory', 'nina@elsewhere.example directory'])
    t.match(
      await one(
        db,
        sql`select count(*) as n from left_out l join directory_groups g on g.id = l.group_id where g.directory_id = 'odd'`
      ),
      { n: 1 }
    )
  }
)

t.test('a member whose address is removed in the directory stays in the team', async t => {
  await keep('lost', [entry('olga'), entry('paul')])
  t.match(await read('lost', [entry('olga', { mail: null }), entry('paul')]), { removed: 0, parked: 0 })
  t.same(await members('lost'), ['olga directory', 'paul directory'])
})

t.test('excluded people are neither added nor changed nor removed', async t => {
  await keep('excluded', [entry('quin'), entry('rosa'), entry('sam', { isExcluded: true })])
  t.same(await members('excluded'), ['quin directory', 'rosa directory'])
  await db.execute(
    sql`update directory_settings set exclusions = '["quin@larkfield.example", "uid=rosa,ou=People,dc=larkfield,dc=example"]'`
  )
  t.match(await read('excluded', [entry('tim')]), { state: 'done', added: 1, removed: 0, parked: 0 })
  t.same(await members('excluded'), ['quin directory', 'rosa directory', 'tim directory'])
  await db.execute(sql`update directory_settings set exclusions = '[]'`)
})

t.test('bare addresses of a mailing list are members without an entry, and never take one over', async t => {
  await keep('list', [
    ...['ulf', 'anna'].map(name =>
      entry(name, { id: `mail:${name}`, dn: '', name: null, department: null, title: null })
    ),
    entry('vera')
  ])
  t.same(await members('list'), ['anna directory', 'ulf directory', 'vera directory'])
  t.match(
    await one(db, sql`select directory_id, department from people where address_key = 'anna@larkfield.example'`),
    { directoryId: 'entry-anna', department: 'Sales' }
  )
  t.match(await one(db, sql`select directory_id from people where address_key = 'ulf@larkfield.example'`), {
    directoryId: null
  })
})

t.test(
  'two entries of one address in two groups are one person, whose entry does not change with every run',
  async t => {
    await keep('one', [entry('wim', { id: 'w1' })])
    await keep('two', [entry('wim', { id: 'w2', department: 'Admins' })])
    for (const id of ['one', 'two', 'one']) t.match(await read(id), { changed: 0, added: 0, removed: 0 })
    t.match(
      await one(db, sql`select directory_id, department from people where address_key = 'wim@larkfield.example'`),
      { directoryId: 'w1', department: 'Sales' }
    )
  }
)

t.test('another entry does not get the address of a user who left, because it would get the account', async t => {
  await db.execute(
    sql`update people set directory_id = 'old-dan', gone_from_directory_at = now() where id = ${ids.dan}`
  )
  await keep('reuse', [entry('dan', { id: 'new-dan', name: 'Daniela' }), entry('xena')])
  t.same(await members('reuse'), ['xena directory'])
  t.match((await lastRun('reuse')).receipt, { taken: 1 })
})

t.test('an unchanged reading is not compared again for a day, unless work was left', async t => {
  const compared = () =>
    one<{ at: string }>(db, sql`select compared_at as at from directory_groups where directory_id = 'same'`)
  await keep('same', [entry('yara'), entry('zoe', { mail: null })])
  const before = await compared()
  t.match(await read('same'), { state: 'done', receipt: { resolved: 2, noMail: 1, before: 1, after: 1 } })
  t.same(await compared(), before)
  t.match(await read('same', [entry('yara', { title: 'Boss' }), entry('zoe', { mail: null })]), { changed: 1 })
  t.notSame(await compared(), before)
  const later = await compared()
  await db.execute(sql`update directory_settings set nested = not nested`)
  await read('same')
  t.notSame(await compared(), later, 'other settings, another look')
  await db.execute(sql`update directory_groups set compared_at = now() - interval '25 hours'`)
  await db.execute(sql`delete from memberships where source = 'directory'
    and team_id = (select team_id from directory_groups where directory_id = 'same')`)
  t.match(await read('same'), { added: 1 }, 'a day later everything is compared with the database')

  await keep('open', [entry('yves', { id: 'y1' })])
  await invite(db, ids.ben, 'yves@larkfield.example')
  const moved = [entry('yves', { id: 'y1', mail: 'yves.new@larkfield.example' })]
  await read('open', moved)
  t.same(await members('open'), ['yves directory'])
  await db.execute(sql`update people set invitation_expires_at = now() - interval '1 second' where directory_id = 'y1'`)
  await read('open')
  t.same(await members('open'), ['yves.new directory'], 'once the invitation is over the address moves')
})

t.test('names from the directory are composed, so one department is one section', async t => {
  const decomposed = 'Büro für Öl'.normalize('NFD')
  await keep('offices', [
    entry('gabi', { name: 'Gabi Mörike'.normalize('NFD'), department: decomposed, title: decomposed }),
    entry('hans', { department: 'Büro für Öl' })
  ])
  const rows = await db.$client`
    select name, department, title from people where directory_id in ('entry-gabi', 'entry-hans') order by name`
  t.same(
    [...rows],
    [
      { name: 'Gabi Mörike', department: 'Büro für Öl', title: 'Büro für Öl' },
      { name: 'Hans', department: 'Büro für Öl', title: 'Clerk' }
    ]
  )
})
