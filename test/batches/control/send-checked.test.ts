import t, { type Test } from 'tap'
import { revoke } from '../../../src/invitations/revoke.ts'
import { optOut } from '../../../src/mail/store.ts'
import { changeOrganization } from '../../../src/organization/change-organization.ts'
import { setDeactivated } from '../../../src/people/store.ts'
import { addUser, startApp } from '../../support/app.ts'
import { countsOf, eventsSince, lastEvent, linesOf, shownCounts, upload } from '../../support/batches.ts'
import { invite, inviteOne } from '../../support/people.ts'
import { takesAll } from '../../support/transports.ts'
import { judgeAll, judgeThrough } from '../../support/workers.ts'

async function start(t: Test) {
  const app = await startApp()
  t.teardown(app.close)
  return { ...app, ben: await app.browser('ben'), ada: await app.browser('ada') }
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `person${index}@larkfield.example`)

t.test('Check only sends nothing, and says how many would be invited', async t => {
  const { db, ben, work } = await start(t)
  const before = await lastEvent(db)
  const id = await upload(ben, [...numbered(1_234), 'nobody', 'dan@larkfield.example', 'person7@larkfield.example'], {
    action: 'check'
  })
  const transport = takesAll()
  await work(transport)
  await work(transport)
  t.match(await countsOf(db, id), {
    ...{ state: 'checked', all: 1_237, mails: {} },
    lines: { invite: 1_234, malformed: 1, active: 1, duplicate: 1 }
  })
  t.same(await db.$client`select 1 from deliveries union all select 1 from invitations`, [])
  t.same(transport.recipients, [])
  const { body } = await ben.get(`/batches/${id}`)
  t.match(body, `<form method="post" action="/batches/${id}/sending">`)
  t.match(body, 'Send 1,234 invitations')
  t.match(body, '1,234 invitations ready to send')
  t.same(shownCounts(body).invite, [1_234])
  t.same(await eventsSince(db, before), ['addresses-checked'])
})

t.test('Send pressed twice at the same time sends once, in the name of the admin who pressed it', async t => {
  const { db, ben, ada, ids, work } = await start(t)
  const id = await upload(ben, numbered(20), { action: 'check' })
  await work(takesAll())
  const before = await lastEvent(db)
  const answers = await Promise.all(Array.from({ length: 6 }, () => ada.post(`/batches/${id}/sending`)))
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [303, 409, 409, 409, 409, 409])
  const transport = takesAll()
  await work(transport)
  t.same(transport.recipients.toSorted(), numbered(20).toSorted())
  t.match(await countsOf(db, id), { state: 'done', lines: { invite: 20 }, mails: { sent: 20 } })
  t.equal((await ben.post(`/batches/${id}/sending`)).statusCode, 409)
  const inviters = await db.$client`select distinct invited_by as id from invitations`
  t.same([...inviters], [{ id: ids.ada }])
  const events = await db.$client`select kind, actor_id as actor, details from events where id > ${before}`
  t.match([...events], [{ kind: 'invitations-sent', actor: ids.ada, details: { lines: 20, invite: 20 } }])
  t.equal(events.length, 1)
})

t.test('every line to be invited is judged again before sending', async t => {
  const { db, ben, ids, work } = await start(t)
  const names = ['stays', 'signed', 'left', 'opted', 'invited', 'revoked']
  const addresses = names.map(name => `${name}@larkfield.example`)
  const id = await upload(ben, addresses, { action: 'check' })
  await work(takesAll())
  t.same((await countsOf(db, id)).lines, { invite: 6 })
  await addUser(db, 'signed', 'member')
  await setDeactivated(db, [await addUser(db, 'left', 'member')], true)
  await optOut(db, 'opted@larkfield.example')
  await invite(db, ids.ben, 'invited@larkfield.example')
  const { invitationId } = await inviteOne(db, ids.ben, 'revoked@larkfield.example')
  await revoke(db, ids.ben, invitationId)
  await ben.post(`/batches/${id}/sending`)
  await work(takesAll())
  const verdicts = (await linesOf(db, id)).map(({ verdict }) => verdict)
  t.same(verdicts, ['invite', 'active', 'deactivated', 'suppressed', 'pending', 'invite'])
  t.match(await countsOf(db, id), {
    ...{ state: 'done', all: 6, mails: { sent: 2 } },
    lines: { invite: 2, active: 1, deactivated: 1, suppressed: 1, pending: 1 }
  })
  const { body } = await ben.get(`/batches/${id}`)
  t.match(body, '2 invitations sent')
})

t.test('a domain that the organization has removed in the meantime no longer counts as its own', async t => {
  const { db, ben, ids, work } = await start(t)
  const change = (domains: string[]) =>
    changeOrganization(db, ids.ada, { organization: 'Larkfield', domains, continueUrl: null, invitationDays: 14 })
  await change(['larkfield.example', 'sold.example'])
  const id = await upload(ben, ['stays@larkfield.example', 'goes@sold.example'], { action: 'check' })
  await work(takesAll())
  t.same((await countsOf(db, id)).lines, { invite: 2 })
  await change(['larkfield.example'])
  await ben.post(`/batches/${id}/sending`)
  const transport = takesAll()
  await work(transport)
  t.same(transport.recipients, ['stays@larkfield.example'])
  t.match(await countsOf(db, id), { state: 'done', all: 2, lines: { invite: 1, foreign: 1 }, mails: { sent: 1 } })
  t.match((await ben.get(`/batches/${id}/lines.csv?verdict=foreign`)).body, 'sold.example is not one of your domains')
})

t.test('with no one left to invite, the batch is done, and the page says so', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, 'late@larkfield.example', { action: 'check' })
  await work(takesAll())
  await addUser(db, 'late', 'member')
  await ben.post(`/batches/${id}/sending`)
  await work(takesAll())
  t.match(await countsOf(db, id), { state: 'done', lines: { active: 1 }, mails: {} })
  t.match((await ben.get(`/batches/${id}`)).body, 'Nothing to send')
})

t.test('halfway through sending, every count is exact', async t => {
  const { db, ben, work } = await start(t)
  const id = await upload(ben, numbered(12_000), { action: 'check' })
  await judgeAll(db)
  await ben.post(`/batches/${id}/sending`)
  await judgeThrough(db, 6_000)
  t.match(await countsOf(db, id), { state: 'checking', lines: { invite: 12_000 }, mails: { queued: 5_000 } })
  const { body } = await ben.get(`/batches/${id}`)
  t.match(body, '>0 of 12,000 emails done')
  await ben.post(`/batches/${id}/pause`)
  await ben.post(`/batches/${id}/resumption`)
  const transport = takesAll()
  await work(transport)
  t.match(await countsOf(db, id), { state: 'done', mails: { sent: 12_000 } })
  t.equal(new Set(transport.recipients).size, 12_000)
})
