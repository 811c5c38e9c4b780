import t from 'tap'
import { approve } from '../../src/groups/decisions/decide.ts'
import { addUser, startApp } from '../support/app.ts'
import { entry, startSyncing } from '../support/directory.ts'
import { inviteOne, one, sql } from '../support/people.ts'

const app = await startApp()
t.teardown(app.close)
const { db, ids, browser } = app
const { ben } = ids
const { keep, read, changes, directory } = await startSyncing(app)
const leavers = (isOn: boolean) => db.execute(sql`update directory_settings set deactivate_leavers = ${isOn}`)
const person = (name: string) =>
  one<Record<string, unknown>>(
    db,
    sql`select stage, disabled_in_directory_at is not null as disabled, gone_from_directory_at is not null as gone
      from people where address_key = ${`${name}@larkfield.example`}`
  )
const others = (prefix: string, count = 8) => Array.from({ length: count }, (_, index) => entry(`${prefix}${index}`))

t.test('disabled and returned people are shown, and no one is deactivated while the setting is off', async t => {
  await keep('shown', [entry('dan'), ...others('shown-')])
  const run = await read('shown', [entry('dan', { isDisabled: true }), ...others('shown-')])
  t.match(run, { state: 'done', changed: 1, deactivated: 0 })
  t.same(await changes(run.id), ['disabled dan'])
  t.match(await person('dan'), { stage: 'signed-up', disabled: true, gone: false })
  t.match((await (await browser('ben')).get(`/people/${ids.dan}`)).body, 'Disabled in the directory')
  t.same(await changes((await read('shown', [entry('dan'), ...others('shown-')])).id), ['back dan'])
  t.match(await person('dan'), { disabled: false })
})

t.test(
  'S38: with the setting on, the next run deactivates disabled people, and their sessions end at once',
  async t => {
    await leavers(true)
    await addUser(db, 'flora', 'member')
    await keep('off', [entry('flora'), ...others('off-')])
    const flora = await browser('flora' as never)
    t.equal((await flora.get('/me')).statusCode, 200)
    const run = await read('off', [entry('flora', { isDisabled: true }), ...others('off-')])
    t.match(run, { state: 'done', deactivated: 1 })
    t.same(await changes(run.id), ['deactivated flora', 'disabled flora'])
    t.equal((await flora.get('/me')).statusCode, 303)
    t.match(await person('flora'), { stage: 'deactivated' })
    t.match(
      await one(db, sql`select details->>'people' as people, actor_id from events where kind = 'leavers-deactivated'`),
      { people: '1', actorId: null }
    )
  }
)

t.test('people missing from the directory are noticed when a group drops them, and only then', async t => {
  await addUser(db, 'greta', 'member')
  await addUser(db, 'hugo', 'member')
  await keep('going', [entry('greta'), entry('hugo'), ...others('going-')])
  directory.others = [entry('hugo')]
  await read('going', others('going-'))
  t.match(await person('greta'), { stage: 'deactivated', gone: true })
  t.match(await person('hugo'), { stage: 'signed-up', gone: false }, 'hugo only left the group')
  directory.others = []
  await db.execute(sql`update people set directory_check_at = now() where directory_check_at is not null`)
  await read('going')
  t.match(await person('hugo'), { stage: 'deactivated', gone: true }, 'asked about again every day')
})

t.test('the open invitation of a disabled person is revoked, and its email canceled', async t => {
  await keep('open', [entry('ida'), ...others('open-')])
  const { token } = await inviteOne(db, ids.ben, 'ida@larkfield.example')
  await read('open', [entry('ida', { isDisabled: true }), ...others('open-')])
  t.match(await person('ida'), { stage: 'revoked', disabled: true })
  t.match(
    await one(
      db,
      sql`select state from deliveries d join people p on p.id = d.person_id where p.address_key = 'ida@larkfield.example'`
    ),
    { state: 'cancelled' }
  )
  t.equal((await (await browser()).get(`/join/${token}`)).statusCode, 410)
})

t.test('many leavers at once wait for approval; until then everyone can keep working', async t => {
  const names = Array.from({ length: 8 }, (_, index) => `many${index}`)
  for (const name of names) await addUser(db, name, name === 'many6' ? 'admin' : 'member')
  const groupId = await keep('many', [...names.map(name => entry(name)), ...others('rest-', 12)])
  const run = await read('many', [...names.map(name => entry(name, { isDisabled: true })), ...others('rest-', 12)])
  t.match(run, { state: 'parked', deactivated: 0, deactivationsParked: 8, reason: /8 users would be deactivated/ })
  t.match(await person('many0'), { stage: 'signed-up', disabled: true })
  await read('many', [...names.map(name => entry(name, { isDisabled: name !== 'many0' })), ...others('rest-', 12)])
  const { id } = await one<{ id: number }>(
    db,
    sql`select last_run_id as id from directory_groups where id = ${groupId}`
  )
  t.same(await approve(db, ben, groupId, id), { outcome: 'done', people: 6, forOwner: 1 })
  t.match(await person('many0'), { stage: 'signed-up', disabled: false })
  t.match(await person('many7'), { stage: 'deactivated' })
  t.match(await person('many6'), { stage: 'signed-up' }, 'an admin lets no admin go')
  t.match((await (await browser('ada')).get('/groups/leavers')).body, 'many6@larkfield.example')
})

t.test('the last owner stays, even if the directory disables them', async t => {
  await keep('owners', [entry('ada'), ...others('owners-')])
  await read('owners', [entry('ada', { isDisabled: true }), ...others('owners-')])
  t.match(await person('ada'), { stage: 'signed-up', disabled: true })
})

t.test('a directory that shows no one makes no one a leaver', async t => {
  await addUser(db, 'jule', 'member')
  await keep('blind', [entry('jule'), ...others('blind-')])
  const find = directory.port.findPeople
  directory.port.findPeople = async () => []
  await read('blind', others('blind-'))
  t.match(await person('jule'), { stage: 'signed-up', gone: false })
  directory.port.findPeople = find
  await db.execute(sql`update people set directory_check_at = now() where directory_check_at is not null`)
  await read('blind')
  t.match(await person('jule'), { stage: 'deactivated', gone: true })
})

t.test('excluded people are never deactivated', async t => {
  await addUser(db, 'karl', 'member')
  await addUser(db, 'lena', 'member')
  await keep('kept', [entry('karl'), entry('lena'), ...others('kept-')])
  await db.execute(sql`update directory_settings set exclusions = '["karl@larkfield.example"]'`)
  await read('kept', [entry('karl', { isDisabled: true, isExcluded: true }), entry('lena'), ...others('kept-')])
  t.match(await person('karl'), { stage: 'signed-up', disabled: false })
  await read('kept', [entry('lena'), ...others('kept-')])
  t.match(await person('karl'), { stage: 'signed-up', gone: false })
})
