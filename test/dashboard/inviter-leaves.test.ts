import t from 'tap'
import { addUser, goodPassword, startApp } from '../support/app.ts'
import { batchOf, countsOf, upload } from '../support/batches.ts'
import { inviteOne, linkOf, sql } from '../support/people.ts'

const { app, db, ids, browser, work, close } = await startApp()
t.teardown(close)
const ada = await browser('ada')
const statusOf = async (token: string) => (await (await browser()).get(`/join/${token}`)).statusCode

/** An admin with one invitation typed by hand and two by file. */
async function inviter(name: string) {
  const id = await addUser(db, name, 'admin')
  const visitor = await browser()
  await visitor.post('/sign-in', { email: `${name}@larkfield.example`, password: goodPassword })
  const typed = await inviteOne(db, id, `${name}-friend@larkfield.example`)
  const batchId = await upload(visitor, [`${name}-one@larkfield.example`, `${name}-two@larkfield.example`])
  await work()
  return { id, visitor, batchId, typed: typed.token, listed: (await linkOf(db, `${name}-one@larkfield.example`)).token }
}

t.test(
  'F22, S38: invitations that a deactivated admin typed by hand are revoked, and those of lists stay open',
  async t => {
    const { id, typed, listed } = await inviter('wes')
    const page = (await ada.get(`/people/${id}`)).body
    t.match(page, '1 typed by hand, 2 by file or group.')
    t.match(page, '<option value="typed" selected>Revoke the 1 typed by hand')
    t.match(page, '<option value="all">Revoke all 3')
    t.equal((await ada.post(`/people/${id}/deactivation`)).statusCode, 303)
    t.match((await ada.get(`/people/${id}`)).body, '1 open invitation revoked.')
    t.equal(await statusOf(typed), 410)
    t.equal((await (await browser()).post(`/join/${typed}`, { name: 'F', password: goodPassword })).statusCode, 410)
    t.equal(await statusOf(listed), 200)
  }
)

t.test('F22: the same form revokes all of them, or keeps them', async t => {
  const all = await inviter('xena')
  t.equal((await ada.post(`/people/${all.id}/deactivation`, { invitations: 'all' })).statusCode, 303)
  t.match((await ada.get(`/people/${all.id}`)).body, '3 open invitations revoked.')
  t.same(await Promise.all([all.typed, all.listed].map(statusOf)), [410, 410])
  const none = await inviter('yves')
  t.equal((await ada.post(`/people/${none.id}/deactivation`, { invitations: 'some' })).statusCode, 422)
  t.equal((await ada.post(`/people/${none.id}/deactivation`, { invitations: 'none' })).statusCode, 303)
  t.same(await Promise.all([none.typed, none.listed].map(statusOf)), [200, 200])
  await countsOf(db, all.batchId)
})

t.test(
  'F22: emails of revoked invitations are not sent, and a user without invitations gets no question about them',
  async t => {
    const id = await addUser(db, 'zoe', 'admin')
    t.notMatch((await ada.get(`/people/${id}`)).body, 'name="invitations"')
    const { invitationId } = await inviteOne(db, id, 'zoe-friend@larkfield.example')
    await ada.post(`/people/${id}/deactivation`)
    const [mail] = await db.execute<{ state: string }>(
      sql`select state from deliveries where invitation_id = ${invitationId}`
    )
    t.equal(mail!.state, 'cancelled')
  }
)

t.test('F6: a batch whose sender is deactivated before it is judged stops, and another admin continues it', async t => {
  const id = await addUser(db, 'uri', 'admin')
  const uri = await browser()
  await uri.post('/sign-in', { email: 'uri@larkfield.example', password: goodPassword })
  const batchId = await upload(uri, ['uri-one@larkfield.example', 'uri-two@larkfield.example'])
  await ada.post(`/people/${id}/deactivation`)
  await work()
  t.match(await batchOf(db, batchId), { state: 'stopped', stopReason: /no longer an active admin/ })
  t.equal((await db.execute(sql`select 1 from people where address_key = 'uri-one@larkfield.example'`)).length, 0)
  t.equal((await ada.post(`/batches/${batchId}/resumption`)).statusCode, 303)
  await work()
  t.match(await countsOf(db, batchId), { state: 'done', lines: { invite: 2 }, mails: { sent: 2 } })
  const [row] = await db.execute<{ by: number }>(
    sql`select distinct invited_by as by from invitations where batch_id = ${batchId}`
  )
  t.equal(row!.by, ids.ada)
})

t.test('F6: a form whose sender is deactivated or demoted while it arrives does nothing', async t => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  for (const [name, act, status] of [
    ['vic', (id: number) => ada.post(`/people/${id}/deactivation`), 401],
    ['viv', (id: number) => db.execute(sql`update people set role = 'auditor' where id = ${id}`), 403]
  ] as const) {
    const id = await addUser(db, name, 'admin')
    const visitor = await browser()
    await visitor.post('/sign-in', { email: `${name}@larkfield.example`, password: goodPassword })
    const { promise, resolve } = Promise.withResolvers<number>()
    const headers = {
      ...{ host: 'localhost:3000', origin: 'http://localhost:3000', cookie: visitor.cookie! },
      'content-type': 'application/x-www-form-urlencoded'
    }
    const { request } = await import('node:http')
    const sent = request({ host: '127.0.0.1', port, method: 'POST', path: '/invite', headers }, answer => {
      answer.resume()
      resolve(answer.statusCode!)
    })
    sent.write(`email=${name}-late`)
    const seen = sql`select 1 from sessions where person_id = ${id}`
    t.equal((await db.execute(seen)).length, 1)
    await (await browser('ben')).get('/')
    await act(id)
    sent.end('%40larkfield.example')
    t.equal(await promise, status, name)
    t.equal((await db.execute(sql`select 1 from people where email like ${`${name}-late%`}`)).length, 0)
  }
})
