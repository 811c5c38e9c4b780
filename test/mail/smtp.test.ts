import fc from 'fast-check'
import { test } from 'tap'
import type { Mail, Outcome } from '../../src/mail/delivery.ts'
import { type SmtpOptions, smtpTransport } from '../../src/mail/smtp.ts'
import { type ScriptedOptions, startScripted } from '../support/scripted-smtp.ts'
import { startMailServer } from '../support/smtp-server.ts'

const hasty = { connectMs: 2_000, greetingMs: 2_000, commandMs: 1_500, finalDotMs: 1_500 }
const bytes = Buffer.from(`Subject: x\r\n\r\n${'hello '.repeat(100)}\r\n.dotted\r\n`)
const mailTo = (to: string): Mail => ({ deliveryId: 1, from: 'rollcall@larkfield.example', to, bytes: () => bytes })

async function sendOne(to: string, script: ScriptedOptions = {}, options: SmtpOptions = {}) {
  const server = await startScripted(script)
  const transport = smtpTransport(server.settings, { timeouts: hasty, ...options })
  const outcome = await transport.send(mailTo(to))
  const after = await transport.send(mailTo('ada@larkfield.example'))
  await transport.close()
  await server.stop()
  return { outcome, after, server }
}

const table: [deed: string, is: Outcome['is'], words: RegExp, suppress?: boolean][] = [
  ['ok', 'sent', /taken as 1/],
  ['okdrop', 'sent', /taken as 1/],
  ['r550', 'recipient-failed', /5\.1\.1 no such user/, true],
  [
    'rmulti',
    'recipient-failed',
    /^550 5\.1\.1 The account that you tried to reach does not exist see our pages$/,
    true
  ],
  ['r521', 'recipient-failed', /5\.2\.1/, true],
  ['rplain', 'recipient-failed', /no such user here/, false],
  ['r518', 'recipient-failed', /5\.1\.8/, false],
  ['r552', 'recipient-failed', /5\.2\.2 over quota/, false],
  ['r452', 'deferred', /4\.2\.2/],
  ['r450', 'deferred', /greylisted/],
  ['r503', 'deferred', /503/],
  ['r421', 'set-aside', /too many/],
  ['r471', 'set-aside', /slow down/],
  ['r554', 'policy', /relay denied/],
  ['r530', 'set-aside', /STARTTLS/],
  ['d451', 'deferred', /no data now/],
  ['d421', 'deferred', /bye/],
  ['d554', 'policy', /554/],
  ['e451', 'deferred', /try later/],
  ['e421', 'set-aside', /shutting down/],
  ['e554', 'policy', /spam/],
  ['e552', 'policy', /552/],
  ['e550', 'recipient-failed', /after all/, true],
  ['rdrop', 'not-sent', /closed/],
  ['rstall', 'not-sent', /did not answer/],
  ['ddrop', 'not-sent', /closed/],
  ['middrop', 'unknown', /closed/],
  ['edrop', 'unknown', /closed/],
  ['estall', 'unknown', /did not answer/],
  ['egarbage', 'unknown', /okay then/]
]

for (const ehlo of [['PIPELINING', 'ENHANCEDSTATUSCODES'], ['ENHANCEDSTATUSCODES']]) {
  test(`every answer of a mail server is told apart ${ehlo.length > 1 ? 'with' : 'without'} pipelining`, async t => {
    for (const [deed, is, words, suppress] of table) {
      const { outcome, after } = await sendOne(`${deed}.ada@larkfield.example`, { ehlo })
      t.equal(outcome.is, is, deed)
      t.match(outcome.reply, words, `${deed} keeps the server's words`)
      if (outcome.is === 'recipient-failed') t.equal(outcome.suppress, suppress, `${deed} suppresses: ${suppress}`)
      t.equal(after.is, 'sent', `the next mail after ${deed}`)
    }
  })
}

test('what fails before the recipient is named is the transport’s fault', async t => {
  for (const script of [
    { greeting: '554 5.3.2 no service' },
    { greeting: '421 4.3.2 too busy' },
    { mail: '550 5.7.1 sender refused' },
    { mail: '451 4.3.0 later' },
    { mail: 'drop' }
  ]) {
    const { outcome, server } = await sendOne('ada@larkfield.example', script)
    t.equal(outcome.is, 'transport-fault', JSON.stringify(script))
    t.equal(server.taken.length, 0)
  }
  const refused = await smtpTransport({ ...(await deadEnd()), connections: 1 }, { timeouts: hasty }).send(
    mailTo('ada@larkfield.example')
  )
  t.match(refused, { is: 'transport-fault', reply: /ECONNREFUSED/ })
})

async function deadEnd() {
  const server = await startScripted()
  await server.stop()
  return server.settings
}

test('a wrong password is the transport’s fault, a right one is used', async t => {
  const server = await startMailServer({
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      password === 'right' ? done(null, { user: username }) : done(new Error('5.7.8 wrong password'))
  })
  t.teardown(server.stop)
  const wrong = smtpTransport({ ...server.settings, user: 'rollcall', password: 'wrong' }, { timeouts: hasty })
  t.match(await wrong.send(mailTo('ada@larkfield.example')), { is: 'transport-fault', reply: /535.*wrong password/ })
  const right = smtpTransport({ ...server.settings, user: 'rollcall', password: 'right' }, { timeouts: hasty })
  t.equal(await right.verify(), undefined)
  t.equal((await right.send(mailTo('ada@larkfield.example'))).is, 'sent')
  t.equal(server.mails[0]?.user, 'rollcall')
  t.match(server.mails[0]?.raw.toString(), /\r\n\.dotted\r\n/, 'leading dots survive')
  await Promise.all([wrong.close(), right.close()])
})

test('S14: with STARTTLS stripped or refused, no password and no address is sent', async t => {
  const user = { user: 'rollcall', password: 'canary-password', requireTls: true }
  for (const ehlo of [['AUTH PLAIN LOGIN'], ['STARTTLS', 'AUTH PLAIN LOGIN']]) {
    const server = await startScripted({ ehlo })
    const transport = smtpTransport({ ...server.settings, ...user }, { timeouts: hasty })
    t.equal((await transport.send(mailTo('ada@larkfield.example'))).is, 'transport-fault')
    const said = server.commands.join('\n')
    t.notMatch(said, /AUTH|MAIL|RCPT|ada@|canary/, `nothing but greetings: ${said}`)
    await transport.close()
    await server.stop()
  }
})

test('S14: an untrusted certificate is refused if TLS is required', async t => {
  const server = await startMailServer({ disabledCommands: [], allowInsecureAuth: true })
  t.teardown(server.stop)
  const strict = smtpTransport({ ...server.settings, requireTls: true }, { timeouts: hasty })
  t.match(await strict.send(mailTo('ada@larkfield.example')), { is: 'transport-fault', reply: /certificate|altnames/i })
  const lenient = smtpTransport(server.settings, { timeouts: hasty })
  t.equal((await lenient.send(mailTo('ada@larkfield.example'))).is, 'sent')
  t.equal(server.mails[0]?.isSecure, true, 'TLS is used if it is offered')
  await Promise.all([strict.close(), lenient.close()])
})

const hostile = [
  'a@larkfield.example;evil@evil.example',
  'evil@evil.example,b@larkfield.example',
  '<evil@evil.example>a@larkfield.example',
  'a@larkfield.example\r\nRCPT TO:<evil@evil.example>',
  'a@larkfield.example\r\nBcc: evil@evil.example',
  'a@larkfield.example\nDATA',
  'a@larkfield.example\0',
  '@x:a@larkfield.example',
  '@evil.example,@larkfield.example:a@larkfield.example',
  'a@larkfield.example>',
  'a@larkfield.example> SIZE=1',
  'a@larkfield.example> ORCPT=rfc822;evil@evil.example',
  '"evil@evil.example" <a@larkfield.example>',
  'a b@larkfield.example',
  'a@larkfield。example',
  'a@larkfield.example\u200b',
  'a\u202e@larkfield.example',
  'a@b@larkfield.example',
  'a%evil.example@larkfield.example@evil.example',
  'a(evil@evil.example)@larkfield.example',
  'a@[127.0.0.1]',
  'a\\@evil.example@larkfield.example',
  '=?utf-8?q?evil=40evil.example?= <a@larkfield.example>',
  'undisclosed:evil@evil.example;',
  ''
]

test('S9: hostile addresses never reach another mailbox', async t => {
  const server = await startScripted()
  t.teardown(server.stop)
  const transport = smtpTransport(server.settings, { timeouts: hasty })
  for (const to of hostile)
    t.match(await transport.send(mailTo(to)), { is: 'recipient-failed', suppress: false }, JSON.stringify(to))
  t.same(server.commands, [], 'not even a connection')
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.emailAddress(),
        fc.string().map(s => `${s}@larkfield.example`)
      ),
      async to => {
        const { is } = await transport.send(mailTo(to))
        if (is !== 'sent') return is === 'recipient-failed'
        const line = server.commands.findLast(command => command.startsWith('RCPT'))
        return Buffer.from(line!, 'latin1').toString() === `RCPT TO:<${to}>` && server.taken.at(-1)?.text === dotted
      }
    ),
    { numRuns: 1_000 }
  )
  await transport.close()
})

const dotted = bytes.toString('latin1').replace('\r\n.', '\r\n..')

test('a non-ASCII address needs a server with SMTPUTF8', async t => {
  const able = await sendOne('jürgen@larkfield.example')
  t.equal(able.outcome.is, 'sent')
  t.match(able.server.commands.join('\n'), /MAIL FROM:<rollcall@larkfield.example> SMTPUTF8/)
  const unable = await sendOne('jürgen@larkfield.example', { ehlo: ['PIPELINING', '8BITMIME'] })
  t.match(unable.outcome, { is: 'recipient-failed', suppress: false, reply: /SMTPUTF8/ })
})

test('connections are kept, shared and closed when unused', async t => {
  const server = await startScripted()
  t.teardown(server.stop)
  const transport = smtpTransport(server.settings, { timeouts: hasty })
  for (let i = 0; i < 5; i++) await transport.send(mailTo(`one${i}@larkfield.example`))
  t.equal(server.connections, 1)
  await Promise.all([1, 2, 3].map(i => transport.send(mailTo(`two${i}@larkfield.example`))))
  t.equal(server.connections, 3)
  await transport.close()
  t.equal(server.taken.length, 8)
})

test('a server that closed an idle connection costs nothing', async t => {
  const server = await startScripted()
  const transport = smtpTransport(server.settings, { timeouts: hasty })
  await transport.send(mailTo('ada@larkfield.example'))
  await server.stop()
  const again = await startScripted({}, server.settings.port)
  t.equal((await transport.send(mailTo('ben@larkfield.example'))).is, 'sent')
  await transport.close()
  await again.stop()
})

test('an envelope is pipelined behind the text before it, however that email ends', async t => {
  for (const [deed, is] of table.filter(([deed]) => !/^r4[27]1|421$|^r(stall|drop|530)/.test(deed))) {
    const server = await startScripted()
    const transport = smtpTransport({ ...server.settings, connections: 1 }, { timeouts: hasty, pipelineUnderMs: 5_000 })
    t.equal(transport.pipelined, 0, 'it is not known yet how quick the server is')
    await transport.send(mailTo('first@larkfield.example'))
    t.equal(transport.pipelined, 1)
    const names = ['ada', `${deed}.ben`, 'cleo', 'dora']
    const outcomes = await Promise.all(names.map(name => transport.send(mailTo(`${name}@larkfield.example`))))
    t.same(
      outcomes.map(outcome => outcome.is),
      ['sent', is, 'sent', 'sent'],
      `${deed} between others`
    )
    const got = server.taken.slice(1).map(({ to }) => to.split('@')[0]!)
    t.same(new Set(got), new Set(names.filter(name => got.includes(name))), 'nothing is sent twice')
    t.ok(server.taken.every(({ text }) => text === bytes.toString().replace('\r\n.dotted', '\r\n..dotted')))
    t.ok(server.behind > 0)
    await transport.close()
    await server.stop()
  }
})

test('nothing is pipelined if the server does not offer it or is slow, nor for long if it drops envelopes', async t => {
  const sendTo = async (script: ScriptedOptions, names: string[], quick = 5_000) => {
    const server = await startScripted(script)
    const transport = smtpTransport({ ...server.settings, connections: 1 }, { timeouts: hasty, pipelineUnderMs: quick })
    const outcomes = await Promise.all(names.map(name => transport.send(mailTo(`${name}@larkfield.example`))))
    t.ok(outcomes.every(outcome => outcome.is === 'sent'))
    t.equal(server.taken.length, names.length)
    await transport.close()
    await server.stop()
    return server
  }
  const twenty = Array.from({ length: 20 }, (_, n) => `kim${n}`)
  t.equal((await sendTo({ ehlo: ['ENHANCEDSTATUSCODES'] }, twenty)).behind, 0)
  t.equal((await sendTo({}, twenty)).behind, 18)
  t.equal((await sendTo({ isForgetful: true }, twenty)).behind, 3)
  t.equal((await sendTo({ pause: 100 }, twenty.slice(0, 4), 50)).behind, 0)
})

test('an email that cannot be composed ends its connection, halfway through, and nothing else', async t => {
  const server = await startScripted()
  const transport = smtpTransport({ ...server.settings, connections: 1 }, { timeouts: hasty, pipelineUnderMs: 5_000 })
  const broken = {
    ...mailTo('ben@larkfield.example'),
    bytes: () => {
      throw new Error('no such template')
    }
  }
  const outcomes = await Promise.all(
    [mailTo('ada@larkfield.example'), broken, mailTo('cleo@larkfield.example')].map(each => transport.send(each))
  )
  t.same(
    outcomes.map(outcome => outcome.is),
    ['sent', 'not-composed', 'sent']
  )
  t.equal(outcomes[1]!.reply, 'no such template')
  t.same(
    server.taken.map(({ to }) => to),
    ['ada@larkfield.example', 'cleo@larkfield.example']
  )
  await transport.close()
  await server.stop()
})
