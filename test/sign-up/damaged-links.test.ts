import t from 'tap'
import { optOutToken } from '../../src/lib/secrets/token.ts'
import { goodPassword, secretKey, setupToken, startApp } from '../support/app.ts'
import { inviteOne, one, sql } from '../support/people.ts'

const { app, db, ids, browser, close } = await startApp()
const fresh = await startApp({ isSetUp: false })
t.teardown(() => Promise.all([close(), fresh.close()]))

/** Text that mail programs, chats and people mistake for a part of a link. */
const additions = [
  ...[
    '.',
    ')',
    ',',
    '/',
    '>',
    ';',
    ':',
    '!',
    '?',
    "'",
    '"',
    ']',
    '}',
    '*',
    '_',
    '-',
    '=',
    '&',
    '|',
    '~',
    '…',
    '”',
    '’'
  ],
  ...['%3E', '%22', '%20', '%29.', '%e2%80%9d', '%C2%A0', '=20', '=3D', '=0A', ').', '>.', '/.', '//', '/)', '/%20'],
  ...['&gt;', '&quot;', '%0D%0A', '<br>', '>x', ')x', '?utm_source=mail', '/?a=1', ',and', '**', '__']
]

t.test('an invitation opens and works with any text after its link', async t => {
  const visitor = await browser()
  const { token } = await inviteOne(db, ids.ben, 'shown@larkfield.example')
  for (const added of additions) {
    const page = await visitor.get(`/join/${token}${added}`)
    t.equal(page.statusCode, 200, added)
    t.match(page.body, new RegExp(`action="/join/${token}["?]`), `${added}: the form goes to the link itself`)
  }
  for (const [index, added] of ['.', ')', '/', '%3E', '=', '_'].entries()) {
    const { token, personId } = await inviteOne(db, ids.ben, `joins${index}@larkfield.example`)
    const answer = await (await browser()).post(`/join/${token}${added}`, { name: 'Kim', password: goodPassword })
    t.equal(answer.statusCode, 303, added)
    t.match(await one(db, sql`select name from people where id = ${personId} and signed_up_at is not null`), {
      name: 'Kim'
    })
  }
})

t.test('so do the request for a new one and the opt-out', async t => {
  const visitor = await browser()
  const { token, invitationId } = await inviteOne(db, ids.ben, 'late@larkfield.example')
  await db.execute(sql`update invitations set expires_at = now() - interval '1 day' where id = ${invitationId}`)
  t.equal((await visitor.get(`/join/${token}).`)).statusCode, 410)
  t.equal((await visitor.post(`/join/${token}/requests`)).statusCode, 303)
  for (const [index, added] of additions.entries()) {
    const { personId } = await inviteOne(db, ids.ben, `stops${index}@larkfield.example`)
    const link = `/unsubscribe/${optOutToken(secretKey, personId)}${added}`
    t.equal((await visitor.get(link)).statusCode, 200, added)
    const answer = await app.inject({ method: 'POST', url: link, payload: 'x', headers: { host: 'localhost:3000' } })
    t.equal(answer.statusCode, 200, added)
  }
  const { n } = await one<{ n: number }>(db, sql`select count(*) as n from suppressions`)
  t.equal(n, additions.length)
})

t.test('S1: a link that lacks a character, or has a different one, is unknown', async t => {
  const visitor = await browser()
  const { token } = await inviteOne(db, ids.ben, 'other@larkfield.example')
  const wrong = [
    token.slice(1),
    token.slice(0, 42),
    `${token.slice(0, 42)}.`,
    `${token}A`,
    `${token}0`,
    `x${token}`,
    `.${token}`
  ]
  for (const each of wrong) t.equal((await visitor.get(`/join/${each}`)).statusCode, 404, each)
  t.equal((await visitor.get(`/join/${token}/nowhere`)).statusCode, 404)
})

t.test('the setup link opens with text that a terminal appends', async t => {
  const visitor = await fresh.browser()
  for (const added of ['.', ')', '/', '%20', '%3E', '"', ''])
    t.equal((await visitor.get(`/setup?token=${setupToken}${added}`)).statusCode, 200, added)
  for (const wrong of [`${setupToken}A`, setupToken.slice(1), `.${setupToken}`, ''])
    t.equal((await visitor.get(`/setup?token=${wrong}`)).statusCode, 403, wrong)
})
