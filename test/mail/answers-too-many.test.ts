/** F8: a mail server that sends more replies than it was asked for. No reply may be taken for the reply to another command. */
import { test } from 'tap'
import type { Mail, Outcome } from '../../src/mail/delivery.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { type ScriptedOptions, type ScriptedServer, startScripted } from '../support/scripted-smtp.ts'

const hasty = { connectMs: 2_000, greetingMs: 2_000, commandMs: 1_500, finalDotMs: 1_500 }
const names = ['alice', 'bob', 'cleo', 'dora']
const mailTo = (name: string): Mail => ({
  deliveryId: 1,
  from: 'rollcall@larkfield.example',
  to: `${name}@larkfield.example`,
  bytes: () => Buffer.from(`Subject: for ${name}\r\n\r\nThe link of ${name}\r\n`)
})

async function sendAll(script: ScriptedOptions, isSignedIn: boolean) {
  const server = await startScripted(script)
  const user = isSignedIn ? { user: 'rollcall', password: 'secret' } : {}
  const transport = smtpTransport(
    { ...server.settings, ...user, connections: 1 },
    { timeouts: hasty, pipelineUnderMs: 5_000 }
  )
  const outcomes = [
    await transport.send(mailTo('first')),
    ...(await Promise.all(names.map(mailTo).map(each => transport.send(each))))
  ]
  outcomes.push(await transport.send(mailTo('last')))
  // a late reply may hit this one
  if (outcomes.at(-1)!.is !== 'sent') outcomes[5] = await transport.send(mailTo('last'))
  await transport.close()
  await server.stop()
  return { server, outcomes }
}

/** What went wrong; empty if every mailbox has its own mail and all that is called sent has arrived. */
function faultsOf({ taken, commands }: ScriptedServer, outcomes: Outcome[]): string[] {
  const strays = taken.filter(({ to, text }) => !text.includes(`The link of ${to.split('@')[0]}\r\n`))
  const arrived = new Set(taken.map(({ to }) => to.split('@')[0]))
  const all = ['first', ...names, 'last']
  return [
    ...strays.map(({ to, text }) => `${to} got ${text}`),
    ...commands.filter(line => /Subject|link of/.test(line)).map(line => `text as a command: ${line}`),
    ...all.filter((name, i) => outcomes[i]!.is === 'sent' && !arrived.has(name)).map(name => `${name} got nothing`),
    ...all
      .filter((name, i) => arrived.has(name) && !['sent', 'unknown'].includes(outcomes[i]!.is))
      .map(name => `${name} is mailed again`)
  ]
}

for (const ehlo of [['PIPELINING', 'AUTH PLAIN'], ['AUTH PLAIN']]) {
  test(`unrequested replies never bring an email to another mailbox, ${ehlo.length > 1 ? 'with' : 'without'} pipelining`, async t => {
    for (const after of ['HELLO', 'EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'TEXT'])
      for (const isLate of [false, true])
        for (const times of [1, 2, 3, 4, 5]) {
          const { server, outcomes } = await sendAll({ ehlo, tooMuch: { after, times, isLate } }, true)
          t.same(faultsOf(server, outcomes), [], `${times} more after ${after}, ${isLate ? 'late' : 'at once'}`)
          t.equal(outcomes.at(-1)!.is, 'sent', 'and sending works again')
        }
  })
}

test('a server that does not reset a connection gets no other email over it', async t => {
  const server = await startScripted({ reset: '500 5.5.1 what?' })
  t.teardown(server.stop)
  const transport = smtpTransport({ ...server.settings, connections: 1 }, { timeouts: hasty })
  t.equal((await transport.send(mailTo('r550.alice'))).is, 'recipient-failed')
  t.equal((await transport.send(mailTo('bob'))).is, 'sent')
  t.equal(server.connections, 2)
  await transport.close()
})

test('a flood of replies ends its connection before it fills memory', async t => {
  const floods = ['250 2.0.0 ok\r\n', '250-and more\r\n', '250 without end', '\r\n', '220 x\r\n', '354 go on\r\n']
  for (const after of ['HELLO', 'EHLO', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'TEXT'])
    for (const words of floods) {
      const server = await startScripted({ ehlo: ['PIPELINING', 'AUTH PLAIN'], flood: { after, words } })
      const settings = { ...server.settings, user: 'rollcall', password: 'secret', connections: 1 }
      const transport = smtpTransport(settings, { timeouts: { ...hasty, commandMs: 5_000, finalDotMs: 5_000 } })
      const outcome = await transport.send(mailTo('alice'))
      t.match(outcome, { is: /^(transport-fault|not-sent|unknown|sent)$/ }, `${JSON.stringify(words)} after ${after}`)
      t.equal(outcome.is === 'sent' && server.taken.length === 0, false)
      await transport.close()
      t.ok(server.babbled < 30_000_000, `${server.babbled} bytes were said`)
      await server.stop()
    }
})
