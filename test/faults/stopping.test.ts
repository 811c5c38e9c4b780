/** A stop is requested while a file is being uploaded. */
import t from 'tap'
import { listForm, noMail, numbered, openUpload, stage } from '../support/faults.ts'
import { setUpOver, until } from '../support/server.ts'

t.test('R14: an upload that SIGTERM cuts is marked incomplete before the process ends, within 30 s', async t => {
  const { db, start } = await stage(t)
  const server = await start(await noMail())
  await setUpOver(server)
  const form = listForm(numbered(30_000))
  const request = openUpload(server, form)
  await request.write(form.body.subarray(0, form.body.length >> 1))
  await until(async () => (await db.$client`select from batches where lines > 0`).length === 1)
  const began = performance.now()
  t.same(await server.stop('SIGTERM'), { code: 0, signal: null })
  t.ok(performance.now() - began < 30_000)
  await request.answer.catch(() => {})
  const batches = await db.$client`select state, (select count(*) from batch_chunks) as chunks from batches`
  t.same([...batches], [{ state: 'incomplete', chunks: 0 }])
  t.equal((await db.$client`select from events where kind = 'upload-cut'`).length, 1)
})

t.test('R14: an upload that arrives completely before the end is accepted', async t => {
  const { db, start } = await stage(t)
  const server = await start(await noMail())
  await setUpOver(server)
  const form = listForm(numbered(30_000))
  const request = openUpload(server, form)
  await request.write(form.body.subarray(0, form.body.length >> 1))
  await until(async () => (await db.$client`select from batches where lines > 0`).length === 1)
  const exit = server.stop('SIGTERM')
  await until(() =>
    server.get('/live').then(
      () => false,
      () => true
    )
  )
  await request.write(form.body.subarray(form.body.length >> 1))
  request.end()
  t.match(await request.answer, { status: 303 })
  t.same(await exit, { code: 0, signal: null })
  t.match([...(await db.$client`select state, lines from batches`)], [{ state: 'checking', lines: 30_000 }])
})
