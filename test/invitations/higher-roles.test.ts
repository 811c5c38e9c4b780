import fs from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { changeRole } from '../../src/invitations/change-role.ts'
import { inOneLine } from '../../src/mail/wire/reply.ts'
import { addUser, goodPassword, startApp } from '../support/app.ts'
import { inviteOne, linkOf, one, sql } from '../support/people.ts'

const { db, ids, browser, work, dataDir, close } = await startApp()
t.teardown(close)
const [ada, ben] = await Promise.all([browser('ada'), browser('ben')])
const fields = { name: 'Nora Lind', password: goodPassword }
const visitor = async (token: string) => (await browser()).get(`/join/${token}`)
const joinWith = async (token: string) => (await browser()).post(`/join/${token}`, fields)
const roleOf = async (id: number) =>
  (await one<{ role: string }>(db, sql`select role from people where id = ${id}`)).role
const mailsOf = async (id: number) =>
  (await db.execute<{ id: number }>(sql`select id from deliveries where invitation_id = ${id} order by id`)).map(
    row => row.id
  )
const rowOf = (body: string, address: string) => body.split('<tr>').find(row => row.includes(address)) ?? ''

/** An invitation whose email is in the outbox, and whose role an owner has raised. */
async function raised(address: string, role = 'owner') {
  await ben.post('/invite', { email: address })
  await work()
  const before = await linkOf(db, address)
  const answer = await ada.post(`/people/${before.personId}/role`, { role })
  if (answer.statusCode !== 303) throw new Error(`the role could not be raised: ${answer.statusCode}`)
  return before
}

t.test('S22: an admin sees neither the link nor an email of an invitation that makes an owner', async t => {
  const { invitationId, personId } = await raised('next-owner@larkfield.example')
  await work()
  for (const act of ['link', 'deliveries', 'revocation'])
    t.equal((await ben.post(`/invitations/${invitationId}/${act}`)).statusCode, 403, act)
  const mails = await mailsOf(invitationId)
  t.equal(mails.length, 2, 'the first email and the one with the new link')
  for (const id of mails) {
    for (const name of [`${id}`, `${id}.eml`, `${id}/html`]) {
      t.equal((await ben.get(`/outbox/${name}`)).statusCode, 403, name)
      t.equal((await ada.get(`/outbox/${name}`)).statusCode, 200, name)
    }
  }
  const list = (await ben.get('/outbox')).body
  for (const id of mails) t.notMatch(list, `href="/outbox/${id}"`)
  t.match(rowOf(list, 'next-owner@larkfield.example'), 'Only an owner')
  t.match((await ada.get('/outbox')).body, `href="/outbox/${mails[1]}"`)
  t.notMatch((await ben.get(`/people/${personId}`)).body, `/invitations/${invitationId}/`, 'no button that is refused')
  t.equal((await ada.post(`/invitations/${invitationId}/link`)).statusCode, 200)
})

t.test('S22: a link from before the role was raised is dead, and its page says where the new one is', async t => {
  const { token, personId, invitationId } = await raised('raised@larkfield.example')
  const page = await visitor(token)
  t.equal(page.statusCode, 410)
  t.match(page.body, 'A newer email is on its way')
  t.match(page.body, 'raised@larkfield.example')
  t.equal((await joinWith(token)).statusCode, 410)
  t.equal((await (await browser()).post(`/join/${token}/requests`)).statusCode, 303, 'who cannot find it asks')
  t.match((await ada.get(`/people/${personId}`)).body, 'a new email with a new link')
  await work()
  const newest = (await mailsOf(invitationId)).at(-1)
  const file = fs.readFileSync(path.join(dataDir, 'outbox', `${newest}.eml`), 'utf8')
  const { token: next } = await linkOf(db, 'raised@larkfield.example')
  t.notSame(next, token)
  t.match(file.replaceAll('=\r\n', ''), next, 'the new email brings the new link')
  t.equal((await joinWith(next)).statusCode, 303)
  t.equal(await roleOf(personId), 'owner')
  t.match((await visitor(token)).body, 'already been used')
})

t.test(
  'S22: each higher role has a new link, a lower one keeps it, and admins see links that make no owner',
  async t => {
    const address = 'steps@larkfield.example'
    const { personId, invitationId } = await raised(address, 'auditor')
    await work()
    const links = [(await linkOf(db, address)).token]
    for (const role of ['admin', 'owner', 'admin', 'member', 'owner', 'member']) {
      t.equal((await ada.post(`/people/${personId}/role`, { role })).statusCode, 303)
      await work()
      links.push((await linkOf(db, address)).token)
      const expected = role === 'owner' ? 403 : 200
      t.equal((await ben.post(`/invitations/${invitationId}/link`)).statusCode, expected, role)
      const [newest] = (await mailsOf(invitationId)).slice(-1)
      t.equal((await ben.get(`/outbox/${newest}`)).statusCode, expected, role)
    }
    const isSame = links.map((link, at) => link === links[at - 1]).slice(1)
    t.same(isSame, [false, false, true, true, false, true])
    t.equal((await joinWith(links.at(-1)!)).statusCode, 303)
    t.equal(await roleOf(personId), 'member')
  }
)

t.test('S22: an email that was written before the raise and sent after it contains a dead link', async t => {
  const { token, personId, invitationId } = await inviteOne(db, ids.ben, 'on-its-way@larkfield.example')
  await db.execute(sql`update deliveries set state = 'sending', lease_until = now() + interval '1 hour', attempts = 1
    where invitation_id = ${invitationId}`)
  await ada.post(`/people/${personId}/role`, { role: 'owner' })
  t.equal((await visitor(token)).statusCode, 410)
  const queued = sql`select count(*) as n from deliveries where invitation_id = ${invitationId} and state = 'queued'`
  t.match(await one(db, queued), { n: 1 }, 'and a new email follows')
})

t.test('S22: raising before the first email was sent sends one email, with the only link', async t => {
  await ben.post('/invite', { email: 'early@larkfield.example' })
  const [person] = await db.execute<{ id: number; invitationId: number }>(
    sql`select id, invitation_id from people where address_key = 'early@larkfield.example'`
  )
  await ada.post(`/people/${person!.id}/role`, { role: 'owner' })
  await work()
  t.equal((await mailsOf(person!.invitationId)).length, 1)
  const { token } = await linkOf(db, 'early@larkfield.example')
  t.equal((await joinWith(token)).statusCode, 303)
  t.equal(await roleOf(person!.id), 'owner')
})

t.test('S22: when a raise and a join coincide, the old link never makes an owner', async t => {
  for (let round = 0; round < 8; round += 1) {
    const { token, personId } = await inviteOne(db, ids.ben, `race${round}@larkfield.example`)
    const [joined, changed] = await Promise.all([
      joinWith(token),
      ada.post(`/people/${personId}/role`, { role: 'owner', enrollment: 'invited' })
    ])
    const role = await roleOf(personId)
    t.ok(
      (joined.statusCode === 303 && changed.statusCode === 409) ||
        (joined.statusCode === 410 && changed.statusCode === 303),
      `${joined.statusCode} ${changed.statusCode}`
    )
    t.equal(role, 'member')
  }
})

t.test('S22: the link of a suppressed address is replaced too, and the owner reads how to hand it over', async t => {
  const { token, personId, invitationId } = await inviteOne(db, ids.ben, 'mute@larkfield.example')
  await db.execute(sql`insert into suppressions (address_key, cause) values ('mute@larkfield.example', 'opted-out')`)
  await ada.post(`/people/${personId}/role`, { role: 'admin' })
  t.match((await ada.get(`/people/${personId}`)).body, 'copy the new link')
  t.equal((await visitor(token)).statusCode, 410)
  t.equal((await mailsOf(invitationId)).length, 1)
  t.equal((await ada.post(`/invitations/${invitationId}/link`)).statusCode, 200)
})

t.test('S22: a role granted by a former owner counts as member, and the page says so', async t => {
  const otto = await addUser(db, 'otto', 'owner')
  const { personId } = await inviteOne(db, ids.ben, 'granted@larkfield.example')
  await changeRole(db, otto, personId, 'admin')
  await changeRole(db, ids.ada, otto, 'auditor')
  const body = (await ada.get(`/people/${personId}`)).body
  t.match(body, 'Member: admin was chosen by a user who is not an owner now')
  const { token } = await linkOf(db, 'granted@larkfield.example')
  t.equal((await joinWith(token)).statusCode, 303)
  t.equal(await roleOf(personId), 'member')
})

t.test('S22: only a current owner can grant a role', async t => {
  const olga = await addUser(db, 'olga', 'owner')
  const { personId } = await inviteOne(db, ids.ben, 'late-grant@larkfield.example')
  await changeRole(db, ids.ada, olga, 'admin')
  t.match(await changeRole(db, olga, personId, 'owner'), { outcome: 'not-owner' })
  t.match(await changeRole(db, olga, ids.dan, 'owner'), { outcome: 'not-owner' })
})

t.test('S6: a link that a server quotes in its answer is not stored', t => {
  const token = 'A'.repeat(43)
  for (const text of [
    `/join/${token}`,
    `/join/${token.slice(0, 20)}=\r\n${token.slice(20)}`,
    `/unsubscribe/7.${token}`
  ]) {
    const kept = inOneLine(`554 5.7.1 refused: http://localhost:3000${text} is listed`)
    t.notMatch(kept, /A{5}/)
    t.match(kept, 'is listed')
  }
  t.equal(inOneLine('250 2.0.0 Ok: queued as 4XyZ'), '250 2.0.0 Ok: queued as 4XyZ')
  t.end()
})
