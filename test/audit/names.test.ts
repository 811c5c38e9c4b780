import t from 'tap'
import { recordEvent } from '../../src/audit/store.ts'
import { addUser, startApp } from '../support/app.ts'
import { readCsv } from '../support/csv.ts'
import { one, sql } from '../support/people.ts'

const { db, ids, browser, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')
const cleo = await browser('cleo')

async function tableOf(query: string) {
  const [header, ...rows] = readCsv((await cleo.get(`/activity.csv?${query}`)).body.slice(1))
  return rows.map(row => Object.fromEntries(row.map((cell, index) => [header![index]!, cell])))
}

t.test('F9: an event keeps the name that its author had at the time', async t => {
  t.equal((await ben.post('/me', { name: 'Shady Admin' })).statusCode, 303)
  t.equal((await ben.post(`/people/${ids.dan}/deactivation`)).statusCode, 303)
  t.equal((await ben.post('/me', { name: 'Ada' })).statusCode, 303)
  await db.execute(sql`update people set name = 'Ada' where id = ${ids.dan}`)
  const [row] = await tableOf('kind=person-deactivated')
  t.match(row, {
    ...{ actor: 'Shady Admin', actor_address: 'ben@larkfield.example', actor_id: String(ids.ben) },
    ...{ person: 'Dan', person_address: 'dan@larkfield.example', person_id: String(ids.dan) },
    text: 'deactivated Dan'
  })
  const { body } = await cleo.get('/activity?kind=person-deactivated')
  t.match(body, '<b>Shady Admin</b> deactivated Dan')
  t.match(body, `<a href="/people/${ids.ben}">ben@larkfield.example</a>, no. ${ids.ben}`)
  t.match(body, 'Dan (dan@larkfield.example)')
  t.match(body, `<option value="${ids.ben}">Ada (ben@larkfield.example)</option>`, 'two of one name are told apart')
})

t.test('F9: a rename is an event with both names; saving the same name is not', async t => {
  const before = (await tableOf('kind=name-changed')).length
  t.equal((await ben.post('/me', { name: ' Ben  Byrne ' })).statusCode, 303)
  t.equal((await ben.post('/me', { name: 'Ben Byrne', theme: 'dark' })).statusCode, 303)
  t.equal((await ben.post('/me', { theme: 'light' })).statusCode, 303)
  const rows = await tableOf('kind=name-changed')
  t.equal(rows.length, before + 1)
  t.match(rows[0], {
    actor: 'Ada',
    actor_address: 'ben@larkfield.example',
    text: 'changed their name from “Ada” to “Ben Byrne”'
  })
  t.match(await one(db, sql`select name from people where id = ${ids.ben}`), { name: 'Ben Byrne' })
})

t.test('events of Rollcall itself have no author, and older events show current names', async t => {
  await recordEvent(db, { kind: 'batch-stopped', actorId: null, batchId: 7, details: { reason: 'x' } })
  const [stopped] = await tableOf('kind=batch-stopped')
  t.match(stopped, { actor: '', actor_address: '', actor_id: '', person: '', batch: '7' })
  t.notMatch((await cleo.get('/activity?kind=batch-stopped')).body, /<\/time>\s*<small>/)
  await db.execute(sql`insert into events (kind, actor_id) values ('mails-retried', ${ids.cleo})`)
  const [older] = await tableOf('kind=mails-retried')
  t.match(older, { actor: 'Cleo', actor_address: 'cleo@larkfield.example', actor_id: String(ids.cleo) })
})

t.test('a user without a name is shown by address, once', async t => {
  const id = await addUser(db, 'fay', 'admin')
  await db.execute(sql`update people set name = null where id = ${id}`)
  await recordEvent(db, { kind: 'link-shown', actorId: id, personId: id })
  const [row] = await tableOf('kind=link-shown')
  t.match(row, { actor: 'fay@larkfield.example', actor_address: 'fay@larkfield.example', person_id: String(id) })
})

t.test('F11: half a character or NUL in the details does not prevent an event', async t => {
  const details = { reason: `the server said ${'x'.repeat(20)}\ud83d`, note: 'a\0b', count: 3, is: true, none: null }
  await recordEvent(db, { kind: 'group-failed', actorId: null, details })
  const [row] = await tableOf('kind=group-failed')
  t.same(JSON.parse(row!.details!), { ...details, reason: `the server said ${'x'.repeat(20)}\ufffd`, note: 'a\ufffdb' })
})
