import t from 'tap'
import { optOutToken } from '../../src/lib/secrets/token.ts'
import { secretKey, startApp } from '../support/app.ts'
import { inviteOne, one, sql } from '../support/people.ts'
import { everyRow } from '../support/rows.ts'

const { app, db, ids, browser, work, close } = await startApp()
t.teardown(close)
const { personId } = await inviteOne(db, ids.ben, 'quiet@larkfield.example')
const url = `/unsubscribe/${optOutToken(secretKey, personId)}`

/** As a mail provider posts it: without origin and cookie. */
const oneClick = (url: string, type: string, payload: string) =>
  app.inject({ method: 'POST', url, payload, headers: { host: 'localhost:3000', 'content-type': type } })

t.test('S2: opening the page changes nothing, and offers the button', async t => {
  const before = await everyRow(db)
  const visitor = await browser()
  for (let round = 0; round < 5; round += 1) {
    const page = await visitor.get(url)
    t.equal(page.statusCode, 200)
    t.match(page.body, 'Stop invitations?')
    t.match(page.body, `action="${url}"`)
  }
  t.same(await everyRow(db), before)
})

t.test('one click from a mail program cancels queued and all later email; a second click changes nothing', async t => {
  const answer = await oneClick(url, 'application/x-www-form-urlencoded', 'List-Unsubscribe=One-Click')
  t.equal(answer.statusCode, 200, 'RFC 8058: no redirect')
  t.match(answer.body, 'You won’t get any more invitations')
  t.match(await one(db, sql`select state from deliveries where person_id = ${personId}`), { state: 'cancelled' })
  t.match(await one(db, sql`select cause from suppressions where address_key = 'quiet@larkfield.example'`), {
    cause: 'opted-out'
  })
  t.match(await one(db, sql`select count(*) as n from events where kind = 'opted-out'`), { n: 1 })
  const before = await everyRow(db)
  t.equal((await oneClick(url, 'application/x-www-form-urlencoded', 'List-Unsubscribe=One-Click')).statusCode, 200)
  t.same(await everyRow(db), before)
  await work()
  t.match(await one(db, sql`select count(*) as n from deliveries where state = 'sent'`), { n: 0 })
  const ben = await browser('ben')
  const page = await ben.submit('/invite', { email: 'quiet@larkfield.example' })
  t.match(page.body, /data-count="(suppressed|pending)" data-value="1"/)
})

t.test('one click stops email with any kind of body', async t => {
  const form = 'application/x-www-form-urlencoded'
  const part = 'Content-Disposition: form-data; name="List-Unsubscribe"'
  const whole = `--x\r\n${part}\r\n\r\nOne-Click\r\n--x--\r\n`
  const bodies: [type: string | undefined, payload: string | Buffer][] = [
    [undefined, ''],
    [undefined, 'List-Unsubscribe=One-Click'],
    ['', 'x'],
    ['text/plain', 'List-Unsubscribe=One-Click'],
    ['application/json', '{}'],
    ['application/json', '{"broken'],
    ['multipart/form-data; boundary=x', whole],
    ['multipart/form-data', whole],
    ['multipart/form-data; boundary=y', whole.slice(0, 30)],
    [form, ''],
    [`${form}; charset=UTF-8`, 'List-Unsubscribe=One-Click'],
    ['APPLICATION/X-WWW-FORM-URLENCODED', 'list-unsubscribe=one-click'],
    [form, 'List-Unsubscribe=One-Click&List-Unsubscribe=One-Click&more=1'],
    [form, 'a&'.repeat(2000)],
    [form, '%ff%00'],
    ['application/octet-stream', Buffer.from([0, 255, 254])],
    ['no type at all', 'x'],
    ['text', 'x'],
    [';', 'x'],
    ['a/b/c; =', 'x']
  ]
  for (const [index, [type, payload]] of bodies.entries()) {
    const { personId } = await inviteOne(db, ids.ben, `body${index}@larkfield.example`)
    const headers = { host: 'localhost:3000', ...(type === undefined ? {} : { 'content-type': type }) }
    const link = `/unsubscribe/${optOutToken(secretKey, personId)}`
    const answer = await app.inject({ method: 'POST', url: link, payload, headers })
    t.equal(answer.statusCode, 200, `${type}: ${String(payload).slice(0, 40)}`)
    t.match(await one(db, sql`select state from deliveries where person_id = ${personId}`), { state: 'cancelled' })
  }
})

t.test('a foreign link is unknown', async t => {
  const [id, signature] = url.split('/').at(-1)!.split('.')
  const wrong = [
    `${Number(id) + 1}.${signature}`,
    `${id}.${'A'.repeat(43)}`,
    `${id}.`,
    id,
    signature,
    `${id}.${signature}x`,
    'x.y',
    '%00'
  ]
  for (const token of wrong) {
    t.equal((await (await browser()).get(`/unsubscribe/${token}`)).statusCode, 404, token!)
    t.equal((await oneClick(`/unsubscribe/${token}`, 'application/x-www-form-urlencoded', '')).statusCode, 404, token!)
  }
})
