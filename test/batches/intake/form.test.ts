import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { startApp } from '../../support/app.ts'
import { boundary, type FilePart, type Multipart, multipart } from '../../support/multipart.ts'
import { everyRow } from '../../support/rows.ts'
import { openRequest } from '../../support/uploads.ts'

const { app, db, browser, logged, work, close } = await startApp()
t.teardown(close)
const ben = await browser('ben')

const list: FilePart = { name: 'people.txt', content: 'kim@larkfield.example\n' }
const big: FilePart = { name: 'people.txt', content: 'kim@larkfield.example\n'.repeat(20_000) }
const fields = { action: 'send' }
const raw = (text: string | Buffer): Multipart => ({ body: Buffer.from(text as string), type: typeOf(boundary) })
const typeOf = (mark: string) => `multipart/form-data; boundary=${mark}`
const disposition = (what: string) => `--${boundary}\r\nContent-Disposition: form-data; ${what}\r\n\r\n`
const end = `\r\n--${boundary}--\r\n`

/** Answered with this status, and the database is unchanged. */
async function refuses(t: Test, status: number, form: Multipart, headers: Record<string, string> = {}) {
  const before = await everyRow(db)
  const answer = await ben.upload('/bulk', form, headers)
  t.equal(answer.statusCode, status)
  t.same(await everyRow(db), before)
  return answer
}

t.test('fields before and after the file produce the same batch', async t => {
  for (const isFileFirst of [false, true]) {
    const answer = await ben.upload('/bulk', multipart({ action: 'check', team: '' }, big, { isFileFirst }))
    t.equal(answer.statusCode, 303)
    const id = Number(answer.headers.location!.split('/').at(-1))
    const [batch] = await db.$client`select state, action, lines, created_by, file_name from batches where id = ${id}`
    t.match(batch, { state: 'checking', action: 'check', lines: 20_000, fileName: 'people.txt' })
    await db.$client`delete from batches where id = ${id}`
  }
})

t.test('a missing or wrong action, an unknown team, no file: 422 on the form', async t => {
  for (const isFileFirst of [false, true]) {
    const none = await refuses(t, 422, multipart({}, big, { isFileFirst }))
    t.match(none.body, 'Choose Send invitations or Check only.')
    await refuses(t, 422, multipart({ action: 'Send' }, list, { isFileFirst }))
    await refuses(t, 422, multipart({ action: '' }, list, { isFileFirst }))
    const team = await refuses(t, 422, multipart({ ...fields, team: '7' }, big, { isFileFirst }))
    t.match(team.body, 'There is no such team.')
    await refuses(t, 422, multipart({ ...fields, team: ['', '7'] }, list, { isFileFirst }))
  }
  for (const form of [multipart(fields), multipart(fields, { name: '', content: '' })]) {
    t.match((await refuses(t, 422, form)).body, 'Choose a .txt file.')
  }
})

t.test('unknown and repeated fields: 400, and nothing of the file is kept', async t => {
  for (const isFileFirst of [false, true]) {
    await refuses(t, 400, multipart({ ...fields, role: 'owner' }, big, { isFileFirst }))
    await refuses(t, 400, multipart({ ...fields, __proto__x: '1', constructor: '1' }, list, { isFileFirst }))
    await refuses(t, 400, multipart({ action: ['send', 'send'] }, big, { isFileFirst }))
    await refuses(t, 400, multipart({ ...fields, 'team[]': '1' }, list, { isFileFirst }))
  }
  await refuses(t, 400, multipart(fields, { ...list, field: 'upload' }))
  await refuses(t, 400, multipart({ ...fields, file: 'kim@larkfield.example' }), {})
})

t.test('NUL and broken UTF-8 in a field: 400', async t => {
  await refuses(t, 400, multipart({ action: 'send\0' }, list))
  await refuses(t, 400, multipart({ ...fields, team: '\0' }, big, { isFileFirst: true }))
  for (const broken of ['\xff', '\xc3', '\xed\xa0\x80']) {
    const field = Buffer.from(`${disposition('name="team"')}${broken}`, 'latin1')
    await refuses(t, 400, raw(Buffer.concat([field, Buffer.from(end)])))
  }
})

t.test('S26: a second file is refused, and nothing of the first one is kept', async t => {
  const one = multipart({}, big).body.subarray(0, -Buffer.byteLength(`--${boundary}--\r\n`))
  await refuses(t, 400, raw(Buffer.concat([one, multipart(fields, list).body])))
})

t.test('S26: twenty thousand fields, a header of 2 MB, a field of 2 MB: refused at once', async t => {
  const many = Array.from({ length: 20_000 }, (_, index) => [`field${index}`, 'x'] as const)
  await refuses(t, 400, multipart(Object.fromEntries(many), list))
  await refuses(t, 400, multipart({ team: Array.from({ length: 20_000 }, () => '') }, list))
  const header = `--${boundary}\r\nX-Long: ${'x'.repeat(2e6)}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n`
  const { statusCode } = await ben.upload('/bulk', raw(`${header}kim@larkfield.example${end}`))
  t.ok(statusCode === 400 || statusCode === 422, String(statusCode))
  await refuses(t, 413, multipart({ ...fields, team: 'x'.repeat(2e6) }, big, { isFileFirst: true }))
})

t.test('S26: a body that is not a form: 400', async t => {
  const whole = multipart(fields, big)
  await refuses(t, 400, { ...whole, type: 'multipart/form-data' })
  await refuses(t, 400, { ...whole, type: typeOf('another') })
  await refuses(t, 400, { ...whole, body: Buffer.alloc(0) })
  await refuses(t, 400, { ...whole, body: gzipSync(whole.body) }, { 'content-encoding': 'gzip' })
})

t.test('S26: a form that stops anywhere: 400, and what arrived is never sent', async t => {
  const whole = multipart(fields, big)
  for (const length of [
    1,
    40,
    100,
    200,
    1000,
    100_000,
    whole.body.length - boundary.length - 6,
    whole.body.length - 5
  ]) {
    const answer = await ben.upload('/bulk', { ...whole, body: whole.body.subarray(0, length) })
    t.equal(answer.statusCode, 400)
  }
  await work()
  t.same(await db.$client`select state from batches where state <> 'incomplete'`, [])
  t.same(await db.$client`select 1 from deliveries union all select 1 from batch_chunks`, [])
})

t.test('more than 2 GiB: 413 before any of it arrives', async t => {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const before = await everyRow(db)
  for (const length of [2 ** 31 + 2 ** 20 + 1, 2 ** 40]) {
    const request = openRequest(port, '/bulk', {
      ...{ cookie: ben.cookie!, 'content-type': typeOf(boundary), 'content-length': length }
    })
    t.equal((await request.answer).status, 413)
    request.cut()
  }
  t.same(await everyRow(db), before)
})

t.test('another content type: 415', async t => {
  const types = [
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/json',
    'multipart/mixed; boundary=x',
    ''
  ]
  for (const type of types) await refuses(t, 415, { ...multipart(fields, list), type })
  const bare = await app.inject({
    ...{ method: 'POST', url: '/bulk' },
    headers: { host: 'localhost:3000', origin: 'http://localhost:3000', cookie: ben.cookie! }
  })
  t.equal(bare.statusCode, 415, 'nor none at all')
})

t.test('auditors, members and strangers cannot upload', async t => {
  const before = (await everyRow(db)).filter(row => !/^(sessions|sign_in_failures)/.test(row))
  for (const [persona, status] of [
    ['cleo', 403],
    ['dan', 403],
    [undefined, 401]
  ] as const) {
    const visitor = await browser(persona)
    t.equal((await visitor.upload('/bulk', multipart(fields, big))).statusCode, status)
  }
  const after = (await everyRow(db)).filter(row => !/^(sessions|sign_in_failures|events)/.test(row))
  t.same(
    after,
    before.filter(row => !row.startsWith('events'))
  )
})

t.test('no refusal was logged as an error', t => {
  t.notMatch(logged.join(''), 'request failed')
  t.end()
})
