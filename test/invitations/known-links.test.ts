import t from 'tap'
import { transaction } from '../../src/db/client.ts'
import { changeRole } from '../../src/invitations/change-role.ts'
import { showLink } from '../../src/invitations/show-link.ts'
import { deactivateLeavers } from '../../src/leavers/deactivate-leavers.ts'
import { lockAddresses, lockOwners } from '../../src/people/store.ts'
import { addUser, goodPassword, secretKey, startApp } from '../support/app.ts'
import { inviteOne, linkOf, sql } from '../support/people.ts'

const { db, ids, browser, work, close } = await startApp()
t.teardown(close)
const ada = await browser('ada')
const statusOf = async (token: string) => (await (await browser()).get(`/join/${token}`)).statusCode

/** A user with this role, signed in. */
async function userWith(name: string, role: 'admin' | 'owner') {
  const id = await addUser(db, name, role)
  const visitor = await browser()
  await visitor.post('/sign-in', { email: `${name}@larkfield.example`, password: goodPassword })
  return { id, ...visitor }
}

/** An open invitation of Ben's to which Ada gave this role, without an email in the outbox. */
async function invited(name: string, role: string) {
  const address = `${name}@larkfield.example`
  const { personId, invitationId } = await inviteOne(db, ids.ben, address)
  if (role !== 'member') await ada.post(`/people/${personId}/role`, { role })
  const { token } = await linkOf(db, address)
  return { address, personId, invitationId, token }
}

const mailsOf = async (id: number) =>
  (await db.execute<{ state: string }>(sql`select state from deliveries where invitation_id = ${id} order by id`)).map(
    ({ state }) => state
  )

t.test('F2: a demoted owner cannot join with any link that gives more than their current role', async t => {
  const olga = await userWith('olga', 'owner')
  const owner = await invited('seen-owner', 'owner')
  const admin = await invited('seen-admin', 'admin')
  const unseen = await invited('unseen-owner', 'owner')
  for (const { invitationId } of [owner, admin])
    t.equal((await olga.post(`/invitations/${invitationId}/link`)).statusCode, 200)
  t.equal((await ada.post(`/people/${olga.id}/role`, { role: 'admin' })).statusCode, 303)
  t.match(
    (await ada.get(`/people/${olga.id}`)).body,
    'Role changed to admin. 1 invitation link that they had seen no longer works'
  )
  t.equal(await statusOf(owner.token), 410)
  const joined = await (await browser()).post(`/join/${owner.token}`, { name: 'Olga', password: goodPassword })
  t.equal(joined.statusCode, 410)
  t.equal(await statusOf(admin.token), 200, 'an admin may know what makes an admin')
  t.equal(await statusOf(unseen.token), 200, 'no one viewed this one')
  t.same((await mailsOf(owner.invitationId)).slice(-1), ['queued'], 'the invited person gets the new link')
  t.equal(await statusOf((await linkOf(db, owner.address)).token), 200)
  t.equal((await ada.post(`/people/${olga.id}/role`, { role: 'auditor' })).statusCode, 303)
  t.equal(await statusOf(admin.token), 410, 'the next step down takes the next link')
})

t.test('F2: links that an admin could read in the outbox are replaced too, if they give more than member', async t => {
  const omar = await userWith('omar', 'admin')
  const [kept, owner, member] = await Promise.all([
    invited('kept-admin', 'admin'),
    invited('kept-owner', 'owner'),
    invited('kept-member', 'member')
  ])
  await work()
  t.equal((await omar.get('/outbox')).statusCode, 200)
  await ada.post(`/people/${omar.id}/role`, { role: 'auditor' })
  t.equal(await statusOf(kept.token), 410)
  t.equal(await statusOf(owner.token), 200, 'an admin was never shown this one')
  t.equal(await statusOf(member.token), 200)
})

t.test('F22, S38: a deactivated admin cannot join with any link that they copied, from any sender', async t => {
  for (const [name, leave] of [
    ['pia', (id: number) => ada.post(`/people/${id}/deactivation`, { invitations: 'none' })],
    [
      'pit',
      (id: number) =>
        transaction(db, async tx => {
          await lockOwners(tx)
          await lockAddresses(tx)
          await deactivateLeavers(tx, [id], null)
        })
    ]
  ] as const) {
    const admin = await userWith(name, 'admin')
    const copied = await invited(`${name}-copied`, 'member')
    const other = await invited(`${name}-other`, 'member')
    await admin.post(`/invitations/${copied.invitationId}/link`, { how: 'copied' })
    await leave(admin.id)
    t.equal(await statusOf(copied.token), 410, name)
    t.equal(await statusOf(other.token), 200, name)
    t.equal(await statusOf((await linkOf(db, copied.address)).token), 200, name)
  }
})

t.test('F2: when viewing a link and a demotion coincide, the demoted user never keeps a working link', async t => {
  let shown = 0
  for (let round = 0; round < 12; round += 1) {
    const id = await addUser(db, `racer${round}`, 'owner')
    const { invitationId } = await invited(`raced${round}`, 'owner')
    const [look] = await Promise.all([
      showLink(db, [secretKey], id, invitationId),
      changeRole(db, ids.ada, id, 'auditor')
    ])
    if (look.outcome !== 'shown') continue
    shown += 1
    t.equal(await statusOf(look.token), 410)
  }
  t.comment(`${shown} of 12 were shown first`)
})

t.test('F2: a role that rises or stays replaces no link', async t => {
  const rita = await userWith('rita', 'admin')
  const { invitationId, token } = await invited('rita-saw', 'admin')
  await rita.post(`/invitations/${invitationId}/link`)
  for (const role of ['admin', 'owner', 'admin']) await ada.post(`/people/${rita.id}/role`, { role })
  t.equal(await statusOf(token), 200)
})
