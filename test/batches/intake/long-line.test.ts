import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { startApp } from '../../support/app.ts'
import { batchOf, linesOf } from '../../support/batches.ts'
import { isLong } from '../../support/long.ts'
import { multipart } from '../../support/multipart.ts'
import { openRequest } from '../../support/uploads.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const { app, db, browser, work, close } = await startApp()
t.teardown(close)
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address() as AddressInfo

// MB; a longer line would only take longer, since its growth is what is measured
const size = isLong ? 200 : 80

t.test(`S26, S28: a line of ${size} MB is one problem line, in constant memory`, async t => {
  const ben = await browser('ben')
  const { body, type } = multipart({ action: 'check' }, { name: 'long.txt', content: 'kim@larkfield.example\nX' })
  const end = body.subarray(body.lastIndexOf('\r\n', body.length - 3))
  const piece = Buffer.alloc(256 * 1024, 'x')
  const pieces = size * 4
  const request = openRequest(port, '/bulk', {
    ...{ cookie: ben.cookie!, 'content-type': type },
    'content-length': body.length + piece.length * pieces
  })
  await request.write(body.subarray(0, body.length - end.length))
  const held: number[] = []
  for (let sent = 0; sent < pieces; sent += 1) {
    await request.write(piece)
    if (sent % (pieces / 8) === pieces / 8 - 1) held.push(heldMemory())
  }
  await request.write(end)
  request.end()
  const answer = await request.answer
  t.equal(answer.status, 303)
  await work()
  const id = Number(answer.headers.location!.split('/').at(-1))
  t.match(await batchOf(db, id), { state: 'checked', lines: 2, invite: 1, malformed: 1 })
  const [, long] = await linesOf(db, id)
  t.match(long, { line: 2, verdict: 'malformed', reason: 'too-long', text: `X${'x'.repeat(1023)}` })
  // a buffered line would be half its size by now; data between two sockets comes and goes
  const grown = Math.min(...held.slice(4)) - held[0]!
  t.ok(grown < (size / 5) * 1024 ** 2, `${Math.round(grown / 1024 ** 2)} MB more than after an eighth of it`)
})

/** The memory really in use, without garbage that is not collected yet. */
function heldMemory(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
