import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import t from 'tap'
import { describeFault, loggerOptions } from '../../src/web/logging.ts'
import { pathForLog } from '../../src/web/paths.ts'

const token = randomBytes(32).toString('base64url')

t.test('S34: in a path of any length the log shows no part of a token or an address', async t => {
  for (let before = 900; before < 1100; before += 7)
    for (const secret of [token, 'mallory@evil.example', `join/${token}`, `${token}%2F${token}`]) {
      const logged = pathForLog(`/${'a/'.repeat(before / 2)}${secret}/b`)
      t.ok(logged.length <= 300)
      t.notMatch(logged, /mallory|evil/)
      t.notOk(logged.includes(token.slice(0, 8)))
    }
  const many = pathForLog(`/${`${token}/`.repeat(300)}`)
  t.match(many, /^\/(\*\/)+/)
  t.notOk(many.includes(token.slice(0, 8)), 'also where masks make room for what comes after them')
  t.equal(pathForLog(`/${'x'.repeat(15_000)}`), '/…')
  t.equal(pathForLog('/people/7?q=kim'), '/people/7')
  t.equal(pathForLog('/people/kim%40larkfield.example/x'), '/people/<address>/x')
})

t.test('S34: nor does it in a message of any length', async t => {
  for (let before = 990; before < 1030; before += 1) {
    const message = `${'a '.repeat(before / 2)}<mallory@evil.example>, "x@evil.example" end`
    const { message: logged } = describeFault(new Error(message)) as { message: string }
    t.notMatch(logged, /mallory|evil/)
  }
  t.match(describeFault(new Error('no route to a@b.example, "c@d.example"')), {
    message: 'no route to <address> "<address>"'
  })
})

t.test('S34: nor does it in logged words of a mail server', async t => {
  const lines: string[] = []
  const { log } = Fastify({ logger: loggerOptions('info', { write: line => void lines.push(line) }) })
  log.error({ reason: '553 5.1.8 <mallory@evil.example>: Sender address rejected' }, 'mails are held')
  log.error({ reason: undefined, mails: 3 }, 'mails are held')
  t.match(JSON.parse(lines[0]!), { reason: '553 5.1.8 <<address>>: Sender address rejected' })
  t.notMatch(lines.join(''), /mallory/)
})

t.test('S28: both are fast for text of any length', async t => {
  const before = process.threadCpuUsage()
  for (const text of ['x', '/', '-', 'a/', '@', '%41', ' ']) {
    pathForLog(`/${text.repeat(100_000)}`)
    describeFault(new Error(text.repeat(100_000)))
  }
  t.ok(process.threadCpuUsage(before).user < 2_000_000)
})
