/** People whose address in the directory differs from Rollcall's (case 5): found, and never a second person. */
import t from 'tap'
import { startApp } from '../support/app.ts'
import { entry, startSyncing } from '../support/directory.ts'
import { multipart } from '../support/multipart.ts'
import { invite, one, sql } from '../support/people.ts'

const app = await startApp()
t.teardown(app.close)
const { db, ids, browser, work } = app
const { keep, read } = await startSyncing(app)
const ben = await browser('ben')
const at = (name: string) => `${name}@larkfield.example`
const person = (name: string, mail = name) => entry(name, { mail: at(mail) })
const idOf = async (entryId: string) =>
  (await one<{ id: number }>(db, sql`select id from people where directory_id = ${`entry-${entryId}`}`)).id
const count = async () => (await one<{ n: number }>(db, sql`select count(*) as n from people`)).n
const verdictOf = (batchId: number, address: string) =>
  one<{ verdict: string }>(db, sql`select verdict from recipients where batch_id = ${batchId} and address = ${address}`)

await keep(
  'staff',
  ['uma', 'ivo', 'pia', 'rex'].map(name => person(name))
)
await invite(db, ids.ben, at('ivo'))
await db.execute(sql`update people set signed_up_at = now() where directory_id = 'entry-uma'`)
const run = await read('staff', [
  person('uma', 'uma.new'),
  person('ivo', 'ivo.new'),
  person('pia', 'rex'),
  person('rex')
])

t.test('the sync says so, and its page lists these people', async t => {
  t.match(run, { addresses: 3, changed: 0, receipt: { otherAddress: 3 } })
  const page = (await ben.get(`/groups/${run.groupId}/sync-runs/${run.id}`)).body
  t.match(page, '3 with another address')
  t.match(page, 'Another address in the directory')
  t.match(
    page,
    `${at('uma')} here, ${at('uma.new')} in the directory: a user keeps the address until an admin moves it`
  )
  t.match(page, 'Rex has that address here')
})

t.test('these people are found by their address in the directory', async t => {
  for (const q of ['uma.new', 'UMA.NEW@larkfield', 'ma.ne']) {
    const page = (await ben.get(`/people?q=${encodeURIComponent(q)}`)).body
    t.match(page, `/people/${await idOf('uma')}"`, q)
  }
  t.notMatch((await ben.get('/people?q=uma.old')).body, `/people/${await idOf('uma')}"`)
})

t.test('a typed or uploaded line with that address gets the person’s verdict', async t => {
  const before = await count()
  const batch = await invite(db, ids.ben, at('uma.new'), at('ivo.new'))
  t.match(await verdictOf(batch, at('uma.new')), { verdict: 'active' })
  t.match(await verdictOf(batch, at('ivo.new')), { verdict: 'pending' })
  const both = await invite(db, ids.ben, at('ivo'), at('ivo.new'))
  t.match(await verdictOf(both, at('ivo.new')), { verdict: 'duplicate' }, 'both addresses of one person')
  const turned = await invite(db, ids.ben, at('ivo.new'), at('ivo'))
  t.match(await verdictOf(turned, at('ivo')), { verdict: 'duplicate' })
  t.equal(await count(), before)
})

t.test('when nothing prevents it, inviting by that address moves the person to it', async t => {
  await db.execute(
    sql`update people set invitation_expires_at = now() - interval '1 second' where directory_id = 'entry-ivo'`
  )
  await db.execute(
    sql`update invitations set expires_at = now() - interval '1 second' where person_id = ${await idOf('ivo')}`
  )
  const before = await count()
  const batch = await invite(db, ids.ben, at('Ivo.New'))
  t.equal(await count(), before)
  t.match(
    await one(
      db,
      sql`select id, email, address_key, directory_mail, stage from people where directory_id = 'entry-ivo'`
    ),
    {
      ...{ email: at('Ivo.New'), addressKey: at('ivo.new'), directoryMail: null, stage: 'invited' }
    }
  )
  t.match(await one(db, sql`select address from deliveries where batch_id = ${batch}`), { address: at('Ivo.New') })
})

t.test('a checked list is judged the same way when it is sent', async t => {
  await db.execute(sql`update people set directory_mail = ${at('pia.new')}, directory_mail_key = ${at('pia.new')}
    where directory_id = 'entry-pia'`)
  const content = `${at('pia.new')}\n${at('uma.new')}\n${at('pia')}\n${at('pia.new')}\n`
  const form = multipart({ action: 'check' }, { name: 'list.txt', content })
  const location = (await ben.upload('/bulk', form)).headers.location!
  await work()
  const batchId = Number(location.split('/').at(-1))
  const lines = async () => {
    const rows = await db.execute<{ verdict: string }>(
      sql`select verdict from recipients where batch_id = ${batchId} order by line`
    )
    return rows.map(({ verdict }) => verdict)
  }
  t.same(await lines(), ['invite', 'active', 'duplicate', 'duplicate'])
  const before = await count()
  await ben.post(`${location}/sending`)
  await work()
  t.same(await lines(), ['invite', 'active', 'duplicate', 'duplicate'])
  t.equal(await count(), before)
  t.match(await one(db, sql`select email, stage from people where directory_id = 'entry-pia'`), {
    email: at('pia.new'),
    stage: 'invited'
  })
})
