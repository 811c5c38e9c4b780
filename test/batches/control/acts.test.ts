import t from 'tap'
import { batchStates } from '../../../src/db/schema.ts'
import { startApp } from '../../support/app.ts'
import { countsOf, eventsSince, lastEvent, upload } from '../../support/batches.ts'
import { everyRow } from '../../support/rows.ts'
import { takesAll, transportThat } from '../../support/transports.ts'

const { db, browser, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')

/** Which actions each state allows. All others return 409. */
const allowed: Record<string, string[]> = {
  sending: ['checked'],
  pause: ['checking', 'sending'],
  resumption: ['paused', 'stopped'],
  cancellation: ['checking', 'checked', 'sending', 'paused', 'stopped'],
  deliveries: ['sending', 'done']
}

/** A batch with one failed email, put into a state by hand. */
async function batchIn(state: string, name: string) {
  const id = await upload(ben, `${name}@larkfield.example`)
  await work(transportThat(() => ({ is: 'recipient-failed', reply: '552 5.2.2 full', suppress: false })))
  await db.$client`update batches set state = ${state} where id = ${id}`
  return id
}

for (const [act, states] of Object.entries(allowed)) {
  t.test(`${act}: works in the states that allow it, and returns 409 in the others`, async t => {
    for (const state of batchStates) {
      const id = await batchIn(state, `${act}-${state}`)
      const before = await lastEvent(db)
      const rows = await everyRow(db)
      const { statusCode, headers } = await ben.post(`/batches/${id}/${act}`)
      if (states.includes(state)) {
        t.equal(statusCode, 303, state)
        t.equal(headers.location, `/batches/${id}`)
        t.ok((await eventsSince(db, before)).length <= 1)
      } else {
        t.equal(statusCode, 409, state)
        t.same(await everyRow(db), rows, 'nothing changed')
      }
      const page = (await ben.get(`/batches/${id}`)).body
      const { state: now } = await countsOf(db, id)
      for (const [other, may] of Object.entries(allowed)) {
        const isOffered = page.includes(`action="/batches/${id}/${other}"`)
        if (other !== 'deliveries') t.equal(isOffered, may.includes(now), `${other} offered in ${now}`)
        else if (isOffered) t.ok(may.includes(now))
      }
      await db.$client`update batches set state = 'incomplete' where id = ${id}`
    }
  })

  t.test(`${act}: only for admins, and only for a batch that exists`, async t => {
    const id = await batchIn(states[0]!, `${act}-roles`)
    const rows = await everyRow(db)
    for (const [persona, status] of [
      ['cleo', 403],
      ['dan', 403],
      [undefined, 401]
    ] as const) {
      const visitor = await browser(persona)
      t.equal((await visitor.post(`/batches/${id}/${act}`)).statusCode, status)
    }
    t.equal((await ben.post(`/batches/999999/${act}`)).statusCode, 404)
    t.equal((await ben.post(`/batches/x/${act}`)).statusCode, 404)
    t.equal((await ben.post(`/batches/${id}/${act}`, { force: '1' })).statusCode, 400)
    const batches = (all: string[]) => all.filter(row => /^(batches|deliveries|people) /.test(row))
    t.same(batches(await everyRow(db)), batches(rows))
  })
}

t.test('an auditor sees a batch without buttons', async t => {
  const id = await batchIn('checked', 'looked-at')
  const { body } = await (await browser('cleo')).get(`/batches/${id}`)
  t.match(body, 'data-batch-state="checked"')
  t.notMatch(body, `action="/batches/${id}/`)
})

t.test('failed and unknown emails are retried once, with the same link', async t => {
  const addresses = ['again1', 'again2', 'again3'].map(name => `${name}@larkfield.example`)
  const id = await upload(ben, addresses)
  const failing = transportThat(({ to }) =>
    to.startsWith('again1')
      ? undefined
      : { is: 'recipient-failed', reply: '552 5.2.2 full', suppress: to.startsWith('again3') }
  )
  await work(failing)
  t.match(await countsOf(db, id), { state: 'done', mails: { sent: 1, failed: 2 } })
  t.match((await ben.get(`/batches/${id}`)).body, '1 invitation sent, 2 failed')
  t.match((await ben.get(`/batches/${id}`)).body, 'Try 2 failed emails again')
  const links = await db.$client`select id, nonce, token_hash from invitations order by id`
  const messages = await db.$client`select id, message_id from deliveries order by id`
  const before = await lastEvent(db)
  const answers = await Promise.all([1, 2, 3].map(() => ben.post(`/batches/${id}/deliveries`)))
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [303, 409, 409])
  t.same(await eventsSince(db, before), ['mails-retried'])
  t.match(await countsOf(db, id), { state: 'sending', mails: { queued: 2, sent: 1 } })
  const transport = takesAll()
  await work(transport)
  t.same(transport.recipients, ['again2@larkfield.example'], 'an address that was suppressed gets none')
  t.match(await countsOf(db, id), { state: 'done', mails: { sent: 2, suppressed: 1 } })
  t.same(await db.$client`select id, nonce, token_hash from invitations order by id`, links)
  t.same(await db.$client`select id, message_id from deliveries order by id`, messages)
  t.equal((await ben.post(`/batches/${id}/deliveries`)).statusCode, 409)
})
