import t from 'tap'
import { changeRole } from '../../src/invitations/change-role.ts'
import { revoke } from '../../src/invitations/revoke.ts'
import { type Browser, goodPassword, startApp } from '../support/app.ts'
import { expire, invite, inviteOne, linkOf, one, sql } from '../support/people.ts'
import { takesAll } from '../support/transports.ts'

const { db, ids, browser, work, close } = await startApp()
t.teardown(close)
const fields = { name: 'Nora Lind', password: goodPassword }
const person = (id: number) =>
  one<{ role: string; name: string; up: boolean; sessions: number; events: number }>(
    db,
    sql`select role, name, signed_up_at is not null as up, (select count(*) from sessions where person_id = ${id}) as sessions,
      (select count(*) from events where kind = 'signed-up' and person_id = ${id}) as events from people where id = ${id}`
  )

t.test('an invited person follows the link, enters a name and a password, and is signed up', async t => {
  const { token, personId } = await inviteOne(db, ids.ben, 'nora@larkfield.example')
  const nora = await browser()
  const page = await nora.get(`/join/${token}`)
  t.equal(page.statusCode, 200)
  for (const words of ['Larkfield', 'Ben', 'nora@larkfield.example']) t.match(page.body, words)
  const answer = await nora.post(`/join/${token}`, fields)
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, '/me')
  t.match(await person(personId), { role: 'member', name: 'Nora Lind', up: true, sessions: 1, events: 1 })
  t.equal((await nora.get('/me')).statusCode, 200, 'signed in')
  t.equal(
    (await one<{ state: string }>(db, sql`select state from deliveries where person_id = ${personId}`)).state,
    'cancelled'
  )
  const again = await nora.get(`/join/${token}`)
  t.equal(again.statusCode, 410)
})

t.test('S2: opening the link changes nothing', async t => {
  const { token, personId } = await inviteOne(db, ids.ben, 'scanner@larkfield.example')
  const scanner = await browser()
  const before = await one(db, sql`select * from invitations where person_id = ${personId}`)
  for (let round = 0; round < 20; round += 1) t.equal((await scanner.get(`/join/${token}`)).statusCode, 200)
  t.same(await one(db, sql`select * from invitations where person_id = ${personId}`), before)
  t.notOk((await person(personId)).up)
})

t.test('S3: of a hundred concurrent requests one signs up', async t => {
  const { token, personId } = await inviteOne(db, ids.ben, 'rush@larkfield.example')
  const answers = await Promise.all(
    Array.from({ length: 100 }, async () => (await browser()).post(`/join/${token}`, fields))
  )
  const codes = answers.map(answer => answer.statusCode)
  t.equal(codes.filter(code => code === 303).length, 1)
  t.equal(codes.filter(code => code === 410).length, 99)
  t.match(await person(personId), { up: true, sessions: 1, events: 1 })
})

t.test('S4: expired, revoked, replaced and used links are dead, each with its own page', async t => {
  const closed = async (token: string, words: RegExp) => {
    const visitor = await browser()
    const page = await visitor.get(`/join/${token}`)
    t.equal(page.statusCode, 410)
    t.match(page.body, words)
    t.equal((await visitor.post(`/join/${token}`, fields)).statusCode, 410)
  }
  const late = await inviteOne(db, ids.ben, 'late@larkfield.example')
  await expire(db, late.personId)
  await closed(late.token, /expired/i)
  await invite(db, ids.ben, 'late@larkfield.example')
  await closed(late.token, /newer/i)
  const taken = await inviteOne(db, ids.ben, 'taken@larkfield.example')
  await revoke(db, ids.ben, taken.invitationId)
  await closed(taken.token, /revoked|withdrawn|taken back/i)
  t.notOk((await person(taken.personId)).up)
})

t.test('S4: when accepting and revoking coincide, exactly one of them happens', async t => {
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const { token, invitationId, personId } = await inviteOne(db, ids.ben, `duel${index}@larkfield.example`)
      const visitor = await browser()
      const [joined, revoked] = await Promise.all([
        visitor.post(`/join/${token}`, fields),
        revoke(db, ids.ben, invitationId)
      ])
      const isUp = (await person(personId)).up
      t.equal(joined.statusCode === 303, isUp)
      t.equal(revoked.outcome === 'revoked', !isUp)
    })
  )
})

t.test('S1, S4: a token that was never issued is unknown', async t => {
  const { token } = await inviteOne(db, ids.ben, 'flip@larkfield.example')
  const visitor = await browser()
  for (let at = 0; at < token.length; at += 7) {
    const flipped = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
    t.equal((await visitor.get(`/join/${flipped}`)).statusCode, 404)
  }
  for (const text of ['x', '..%2f', `${token}A`, '%00', token.slice(1)])
    t.match(String((await visitor.get(`/join/${text}`)).statusCode), /40[04]/)
})

t.test('S5: the account has the invited address, whatever the form contains', async t => {
  const { token, personId } = await inviteOne(db, ids.ben, 'bound@larkfield.example')
  const eve = await browser()
  const extras: Record<string, string | string[]>[] = [
    { email: 'eve@evil.example' },
    { role: 'owner' },
    { name: ['a', 'b'] }
  ]
  for (const extra of extras) {
    t.equal((await eve.post(`/join/${token}`, { ...fields, ...extra })).statusCode, 400)
  }
  t.notOk((await person(personId)).up)
})

t.test('a person who is signed in on this browser is told so, and joining ends that session', async t => {
  const { token } = await inviteOne(db, ids.ben, 'second@larkfield.example')
  const ben = await browser('ben')
  const oldCookie = ben.cookie!
  t.match((await ben.get(`/join/${token}`)).body, 'ben@larkfield.example')
  t.equal((await ben.post(`/join/${token}`, fields)).statusCode, 303)
  t.match((await ben.get('/me')).body, 'second@larkfield.example')
  const old: Browser = await browser()
  t.equal((await old.get('/me', { cookie: oldCookie })).statusCode, 303, 'the old session is over')
})

t.test('an invalid name or password keeps the input and does not use up the link', async t => {
  const { token, personId } = await inviteOne(db, ids.ben, 'retry@larkfield.example')
  const visitor = await browser()
  const answer = await visitor.post(`/join/${token}`, { name: 'Nora <b>', password: 'short' })
  t.equal(answer.statusCode, 422)
  t.match(answer.body, 'value="Nora &lt;b&gt;"')
  t.notMatch(answer.body, 'value="short"')
  t.notOk((await person(personId)).up)
  t.equal((await visitor.post(`/join/${token}`, fields)).statusCode, 303)
})

t.test('the known name is filled in, and a name that comes from the directory stays', async t => {
  const known = await inviteOne(db, ids.ben, 'known@larkfield.example')
  await db.execute(sql`update people set name = 'Kim Known' where id = ${known.personId}`)
  const visitor = await browser()
  t.match((await visitor.get(`/join/${known.token}`)).body, /name="name" type="text" value="Kim Known"/)
  const blank = await visitor.post(`/join/${known.token}`, { name: '', password: 'short' })
  t.match(blank.body, /name="name" type="text" value=""/, 'what was typed stays, also when it is nothing')
  t.match(blank.body, /href="#name"[\s\S]*href="#password"/, 'both errors at once')
  t.equal((await visitor.post(`/join/${known.token}`, { name: 'Kim Chosen', password: goodPassword })).statusCode, 303)
  t.match(await person(known.personId), { name: 'Kim Chosen' })

  const kept = await inviteOne(db, ids.ben, 'kept@larkfield.example')
  await db.execute(sql`update people set name = 'Lou Kept', directory_id = 'entry-lou' where id = ${kept.personId}`)
  const page = (await visitor.get(`/join/${kept.token}`)).body
  t.match(page, /name="name" type="text" value="Lou Kept" readonly/)
  t.match(page, 'Your name comes from your organization’s directory.')
  t.equal(
    (await visitor.post(`/join/${kept.token}`, { name: 'Somebody Else', password: goodPassword })).statusCode,
    303
  )
  t.match(await person(kept.personId), { name: 'Lou Kept' }, 'the next sync would bring it back anyway')
})

t.test('people can ask for a new invitation once, and admins see it', async t => {
  const late = await inviteOne(db, ids.ben, 'asks@larkfield.example')
  await expire(db, late.personId)
  const visitor = await browser()
  for (let round = 0; round < 3; round += 1)
    t.equal((await visitor.post(`/join/${late.token}/requests`)).statusCode, 303)
  t.equal(
    (
      await one<{ n: number }>(
        db,
        sql`select count(*) as n from events where kind = 'invitation-requested' and person_id = ${late.personId}`
      )
    ).n,
    1
  )
  t.match((await (await browser('ben')).get('/')).body, 'asks@larkfield.example')
  await invite(db, ids.ben, 'asks@larkfield.example')
  const dashboard = (await (await browser('ben')).get('/')).body
  t.notMatch(dashboard, `/people/${late.personId}"`, 'answered with a new invitation')
  t.match((await visitor.get(`/join/${late.token}`)).body, 'A newer email is on its way')
  const open = await linkOf(db, 'asks@larkfield.example')
  t.equal((await visitor.post(`/join/${open.token}/requests`)).statusCode, 409)
})

t.test('an old link leads to the newer email, and a request from there reaches admins who can resend it', async t => {
  const address = 'older@larkfield.example'
  const ben = await browser('ben')
  const visitor = await browser()
  const old = await inviteOne(db, ids.ben, address)
  t.equal((await ben.post(`/invitations/${old.invitationId}/revocation`)).statusCode, 303)
  t.match((await visitor.get(`/join/${old.token}`)).body, 'This invitation was withdrawn')
  const newer = await inviteOne(db, ids.ben, address)
  t.match((await visitor.get(`/join/${old.token}`)).body, 'A newer email is on its way', 'not sent yet')
  await work(takesAll())
  const page = await visitor.get(`/join/${old.token}`)
  t.equal(page.statusCode, 410)
  t.match(page.body, 'A newer email was sent to you')
  t.match(page.body, /sent to older@larkfield.example on \d+ \w+.*“Ben invited you to join Larkfield”/)
  t.notMatch(page.body, 'withdr')
  t.match(page.body, `action="/join/${old.token}/requests"`)
  t.equal((await visitor.post(`/join/${old.token}/requests`)).statusCode, 303)
  t.match((await visitor.get(`/join/${old.token}`)).body, 'You asked for a new invitation')
  const dashboard = (await ben.get('/')).body
  t.match(dashboard, new RegExp(`action="/invitations/${newer.invitationId}/deliveries"[\\s\\S]*?Send again`))
  t.equal((await ben.post(`/invitations/${newer.invitationId}/deliveries`)).statusCode, 303)
  t.notMatch((await ben.get('/')).body, `/invitations/${newer.invitationId}/deliveries`, 'answered')
  await expire(db, newer.personId)
  t.match((await visitor.get(`/join/${old.token}`)).body, 'This invitation has expired')
  const third = await inviteOne(db, ids.ben, address)
  t.equal((await visitor.post(`/join/${third.token}`, fields)).statusCode, 303)
  for (const token of [old.token, newer.token]) {
    t.match((await visitor.get(`/join/${token}`)).body, 'already been used')
    t.equal((await visitor.post(`/join/${token}/requests`)).statusCode, 409)
  }
})

t.test('S22: a higher role counts only if its owner is still one', async t => {
  const first = await inviteOne(db, ids.ben, 'auditor@larkfield.example')
  await changeRole(db, ids.ada, first.personId, 'auditor')
  const { token } = await linkOf(db, 'auditor@larkfield.example')
  t.equal((await (await browser()).post(`/join/${token}`, fields)).headers.location, '/me')
  t.equal((await person(first.personId)).role, 'auditor')
  const second = await inviteOne(db, ids.ben, 'admin2@larkfield.example')
  await changeRole(db, ids.ada, ids.ben, 'owner')
  await changeRole(db, ids.ben, second.personId, 'admin')
  await changeRole(db, ids.ada, ids.ben, 'admin')
  const { token: raised } = await linkOf(db, 'admin2@larkfield.example')
  await (await browser()).post(`/join/${raised}`, fields)
  t.equal((await person(second.personId)).role, 'member', 'who granted it is no owner any more')
})
