import t from 'tap'
import { deactivate } from '../../src/invitations/deactivate.ts'
import { revoke } from '../../src/invitations/revoke.ts'
import { optOut } from '../../src/mail/store.ts'
import { addUser, startApp, type TestApp } from '../support/app.ts'
import { expire, invite, inviteOne, one, sql } from '../support/people.ts'

const { db, ids, close }: TestApp = await startApp()
t.teardown(close)

const linesOf = (batchId: number) =>
  db.execute<{ line: number; verdict: string; firstLine: number | null }>(
    sql`select line, verdict, first_line from recipients where batch_id = ${batchId} order by line`
  )
const verdictsOf = async (batchId: number) => (await linesOf(batchId)).map(row => row.verdict)

t.test('one address becomes a person, an invitation and an email in one step', async t => {
  const batchId = await invite(db, ids.ben, 'Nora.Lind@Larkfield.example')
  t.same(await verdictsOf(batchId), ['invite'])
  const row = await one(
    db,
    sql`
    select p.email, p.address_key, p.delivery_state, i.invited_by, d.address, d.state, d.priority, b.state as batch, b.mails_queued,
      b.lines, b.judged, b.invite, round(extract(epoch from i.expires_at - i.created_at) / 86400) as days, p.invitation_expires_at = i.expires_at as same
    from people p join invitations i on i.id = p.invitation_id join deliveries d on d.id = p.delivery_id join batches b on b.id = d.batch_id
    where p.address_key = 'nora.lind@larkfield.example'`
  )
  t.same(row, {
    email: 'Nora.Lind@larkfield.example',
    addressKey: 'nora.lind@larkfield.example',
    deliveryState: 'queued',
    invitedBy: ids.ben,
    address: 'Nora.Lind@larkfield.example',
    state: 'queued',
    priority: 0,
    batch: 'sending',
    mailsQueued: 1,
    lines: 1,
    judged: 1,
    invite: 1,
    days: 14,
    same: true
  })
  t.equal(
    (
      await one<{ n: number }>(
        db,
        sql`select count(*) as n from events where kind = 'invitations-sent' and batch_id = ${batchId}`
      )
    ).n,
    1
  )
})

t.test('each address gets the first verdict that fits', async t => {
  const gone = await addUser(db, 'gone', 'member')
  await deactivate(db, ids.ada, gone)
  await optOut(db, 'quiet@larkfield.example')
  await invite(db, ids.ben, 'open@larkfield.example')
  const batchId = await invite(
    db,
    ids.ben,
    'nobody.at.all',
    'kim@elsewhere.example',
    'new@larkfield.example',
    'NEW@larkfield.example',
    'dan@larkfield.example',
    'gone@larkfield.example',
    'quiet@larkfield.example',
    'open@larkfield.example',
    'kim@elsewhere.example'
  )
  t.same(await linesOf(batchId), [
    { line: 1, verdict: 'malformed', firstLine: null },
    { line: 2, verdict: 'foreign', firstLine: null },
    { line: 3, verdict: 'invite', firstLine: null },
    { line: 4, verdict: 'duplicate', firstLine: 3 },
    { line: 5, verdict: 'active', firstLine: null },
    { line: 6, verdict: 'deactivated', firstLine: null },
    { line: 7, verdict: 'suppressed', firstLine: null },
    { line: 8, verdict: 'pending', firstLine: null },
    { line: 9, verdict: 'foreign', firstLine: null }
  ])
  const counts = await one(
    db,
    sql`select lines, malformed, "foreign", duplicate, active, deactivated, suppressed, pending, invite from batches where id = ${batchId}`
  )
  t.same(counts, {
    lines: 9,
    malformed: 1,
    foreign: 2,
    duplicate: 1,
    active: 1,
    deactivated: 1,
    suppressed: 1,
    pending: 1,
    invite: 1
  })
})

t.test('a batch that invites no one is done at once', async t => {
  const batchId = await invite(db, ids.ben, 'dan@larkfield.example')
  t.match(await one(db, sql`select state, finished_at from batches where id = ${batchId}`), {
    state: 'done',
    finishedAt: String
  })
})

t.test('people whose invitation was revoked or has expired are invited again, and the old link stays dead', async t => {
  const first = await inviteOne(db, ids.ben, 'again@larkfield.example')
  await revoke(db, ids.ben, first.invitationId)
  const second = await inviteOne(db, ids.ben, 'again@larkfield.example')
  t.not(second.invitationId, first.invitationId)
  t.equal(second.personId, first.personId, 'still the same person')
  await expire(db, second.personId)
  t.same(await verdictsOf(await invite(db, ids.ben, 'again@larkfield.example')), ['invite'])
  const row = await one(
    db,
    sql`select count(*) as all, count(*) filter (where superseded_at is not null) as superseded,
    count(*) filter (where accepted_at is null and revoked_at is null and superseded_at is null) as open from invitations where person_id = ${first.personId}`
  )
  t.same(row, { all: 3, superseded: 1, open: 1 })
})

t.test('two admins who invite the same address at the same time send one invitation', async t => {
  const batches = await Promise.all(
    Array.from({ length: 8 }, () => invite(db, ids.ben, 'race@larkfield.example', 'race2@larkfield.example'))
  )
  const verdicts = (await Promise.all(batches.map(verdictsOf))).flat()
  t.equal(verdicts.filter(verdict => verdict === 'invite').length, 2)
  t.equal(verdicts.filter(verdict => verdict === 'pending').length, 14)
  const { n } = await one<{ n: number }>(db, sql`select count(*) as n from deliveries where address like 'race%'`)
  t.equal(n, 2)
})
