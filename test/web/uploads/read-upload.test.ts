import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import formParts from '@fastify/multipart'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import { Refusal } from '../../../src/web/errors.ts'
import { isWatched } from '../../../src/web/uploads/rate.ts'
import { readUpload, UploadCut, type UploadedFile, type UploadForm } from '../../../src/web/uploads/read-upload.ts'
import { multipart } from '../../support/multipart.ts'
import { openRequest } from '../../support/uploads.ts'

const form: UploadForm = { file: 'file', fields: ['action'], fileBytes: 2 ** 30 }
const quick = { ...form, patience: { seconds: 0.3, bytesPerSecond: 1000 } }

async function count({ bytes }: UploadedFile) {
  let sum = 0
  for await (const chunk of bytes) sum += chunk.length
  return sum
}

/** A server that only reads uploads, one after another; answers with the outcome. */
async function start(t: Test, upload: UploadForm, take: (file: UploadedFile) => Promise<unknown> = count) {
  const ended: unknown[] = []
  const { app, port } = await listen(t, async (request, reply) => {
    try {
      return await readUpload(request, upload, take)
    } catch (error) {
      ended.push(error)
      return reply.code(error instanceof Refusal ? error.status : 500).send(String(error))
    }
  })
  const open = ({ body, type }: ReturnType<typeof multipart>, headers: Record<string, string | number> = {}) =>
    openRequest(port, '/', { 'content-type': type, 'content-length': body.length, ...headers })
  return { app, open, ended }
}

async function listen(t: Test, handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>) {
  const app = Fastify()
  await app.register(formParts)
  app.post('/', handler)
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => {
    app.server.closeAllConnections()
    return app.close()
  })
  return { app, port: (app.server.address() as AddressInfo).port }
}

const file = (bytes: number) => multipart({ action: 'send' }, { name: 'a.txt', content: Buffer.alloc(bytes, 'x') })

t.test('S30: a body that stays below the minimum rate ends with 408, and counts as cut', async t => {
  const thrown: unknown[] = []
  const { open, ended } = await start(t, quick, taken => count(taken).catch(error => thrown.push(error)))
  const whole = file(100_000)
  const request = open(whole)
  await request.write(whole.body.subarray(0, 50_000))
  const dripping = drip(request, whole.body.subarray(50_000), 1, 50)
  t.match(await request.answer, { status: 408, body: /too slowly/ })
  t.ok(ended[0] instanceof UploadCut)
  t.same(thrown, ended)
  request.cut()
  await dripping
})

t.test('S30: a slow connection is not an attack: a body above the minimum rate may take any time', async t => {
  const { open } = await start(t, quick)
  const whole = file(20_000)
  const request = open(whole)
  await drip(request, whole.body, 500, 25)
  request.end()
  t.match(await request.answer, { status: 200, body: '{"fields":{"action":["send"]},"taken":20000}' })
})

t.test('time in which we do not read does not count against the sender', async t => {
  const gate = Promise.withResolvers<void>()
  const { open } = await start(t, quick, async taken => {
    await gate.promise
    return count(taken)
  })
  const whole = file(30_000_000)
  const request = open(whole)
  const sending = request.write(whole.body)
  await pause(1_000)
  gate.resolve()
  await sending
  request.end()
  t.match(await request.answer, { status: 200, body: /"taken":30000000/ })
})

t.test('a body over the limit: 413 immediately by its declared length, or by its bytes when they arrive', async t => {
  let wasTaken = false
  const { open } = await start(t, { ...form, fileBytes: 100_000 }, taken => {
    wasTaken = true
    return count(taken)
  })
  const declared = open(file(10), { 'content-length': 100_000 + 2 ** 20 + 1 })
  t.match(await declared.answer, { status: 413 })
  declared.cut()
  t.notOk(wasTaken)
  const within = open(file(100_000))
  await within.write(file(100_000).body)
  within.end()
  t.match(await within.answer, { status: 200, body: /"taken":100000/ })
  const { body, type } = file(100_001)
  const chunked = open({ body, type }, { 'content-length': body.length })
  await chunked.write(body)
  chunked.end()
  t.match(await chunked.answer, { status: 413 })
})

t.test('a reader that stops early leaves the rest of the form to be read', async t => {
  const { open } = await start(t, form, async taken => {
    for await (const _ of taken.bytes) break
    return 'seen enough'
  })
  const { body, type } = multipart(
    { action: 'send' },
    { name: 'a.txt', content: Buffer.alloc(5_000_000) },
    { isFileFirst: true }
  )
  const request = open({ body, type })
  await request.write(body)
  request.end()
  t.match(await request.answer, { status: 200, body: '{"fields":{"action":["send"]},"taken":"seen enough"}' })
})

t.test('the bytes end only when the whole form has arrived and is valid', async t => {
  const { open, ended } = await start(t, form, taken => count(taken))
  const { body, type } = multipart({ role: 'owner' }, { name: 'a.txt', content: 'x' }, { isFileFirst: true })
  const request = open({ body, type })
  await request.write(body)
  request.end()
  t.match(await request.answer, { status: 400 })
  t.notOk(ended[0] instanceof UploadCut)
})

t.test('a connection that is lost before anyone listens is noticed', async t => {
  const seen = Promise.withResolvers<unknown>()
  const { port } = await listen(t, async request => {
    sender.cut()
    await new Promise(resolve => request.raw.on('close', resolve))
    await readUpload(request, form, count).then(seen.resolve, seen.resolve)
    t.ok(isWatched(request.raw))
  })
  const whole = file(1000)
  const sender = openRequest(port, '/', { 'content-type': whole.type, 'content-length': whole.body.length })
  t.ok((await seen.promise) instanceof UploadCut)
})

t.test('a file name loses folders and invisible characters, and only its end is kept if it is long', async t => {
  const names: string[] = []
  const { open } = await start(t, form, async taken => names.push(taken.name))
  for (const name of [
    'C:\\lists\\a.txt',
    '../../etc/a.txt',
    'Łódź 名簿 😀.txt',
    'a\u202etxt.exe',
    `${'n'.repeat(500)}.txt`,
    '<img src=x>.txt'
  ]) {
    const { body, type } = multipart({}, { name, content: 'x' })
    const request = open({ body, type })
    await request.write(body)
    request.end()
    await request.answer
  }
  t.same(names, ['a.txt', 'a.txt', 'Łódź 名簿 😀.txt', 'atxt.exe', `${'n'.repeat(196)}.txt`, '<img src=x>.txt'])
})

/** Sends so many bytes at a time, until all are sent or no one listens. */
async function drip(request: ReturnType<typeof openRequest>, bytes: Buffer, size: number, milliseconds: number) {
  let isOver = false
  const end = () => {
    isOver = true
  }
  request.answer.then(end, end)
  for (let at = 0; at < bytes.length && !isOver; at += size) {
    await request.write(bytes.subarray(at, at + size))
    await pause(milliseconds)
  }
}
