import http from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyReply } from 'fastify'
import t from 'tap'
import { LineFull } from '../../src/lib/secrets/password-line.ts'
import { serveErrors } from '../../src/web/errors.ts'
import { overOf, watchHandlers } from '../../src/web/handlers.ts'

const app = Fastify()
watchHandlers(app)
serveErrors(app)
app.decorateRequest('viewer', null)
app.decorateReply('page', function (this: FastifyReply, _name: string, head, view) {
  return this.code(head.status ?? 200).send({ title: head.title, ...view })
})
const never = () => new Promise(() => {})
for (const method of ['GET', 'POST'] as const)
  app.route({ method, url: '/late', config: { access: 'anyone', patienceSeconds: 0.01 }, handler: never })
app.get('/full/:who', async request => {
  throw new LineFull((request.params as { who: string }).who === 'network', 75)
})
let ended = Promise.withResolvers<void>()
let begun = Promise.withResolvers<void>()
app.get('/waits', async (_request, reply) => {
  overOf(reply).addEventListener('abort', () => ended.resolve())
  begun.resolve()
  await ended.promise
  return 'over'
})
app.get('/answers', async (_request, reply) => {
  overOf(reply).addEventListener('abort', () => ended.resolve())
  return 'done'
})
await app.listen({ host: '127.0.0.1', port: 0 })
t.teardown(() => app.close())
const { port } = app.server.address() as AddressInfo

t.test('F3: a slow handler is not reported as an unreachable database', async t => {
  const page = await app.inject('/late')
  t.equal(page.statusCode, 503)
  t.match(page.headers['retry-after'], /^\d+$/)
  t.match(page.body, 'taking too long')
  t.notMatch(page.body, /database/i)
  const form = await app.inject({ method: 'POST', url: '/late' })
  t.equal(form.statusCode, 503)
  t.match(form.body, 'may or may not have gone through')
})

t.test('F3: a full queue says why, and how long to wait', async t => {
  const network = await app.inject('/full/network')
  t.match(network, { statusCode: 429, headers: { 'retry-after': '75' } })
  t.match(network.body, 'on your network')
  t.match(network.body, 'Wait 75 seconds')
  const all = await app.inject('/full/all')
  t.match(all, { statusCode: 503, headers: { 'retry-after': '75' } })
  t.match(all.json(), { title: 'Rollcall is busy' })
})

t.test('F3: work for a request ends when its reader disconnects or has an answer', async t => {
  const request = http.get({ port, host: '127.0.0.1', path: '/waits' })
  request.on('error', () => {})
  await begun.promise
  request.destroy()
  await ended.promise
  ended = Promise.withResolvers()
  begun = Promise.withResolvers()
  t.equal(await (await fetch(`http://127.0.0.1:${port}/answers`)).text(), 'done')
  await ended.promise
})
