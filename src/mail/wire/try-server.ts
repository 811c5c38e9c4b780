/** One email to the mail server, step by step, with its own words: for the test at Settings › Mail. */
import dns from 'node:dns/promises'
import { isIP, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { SmtpSettings } from '../../config/smtp.ts'
import { messageOf } from '../../lib/errors.ts'
import type { Mail } from '../delivery.ts'
import { Channel } from './channel.ts'
import { asText, commandsFor } from './message.ts'
import { tokenSource } from './oauth.ts'
import { inOneLine } from './reply.ts'
import { type Heard, signIn } from './sign-in.ts'
import type { Timeouts } from './timeouts.ts'

export const mailSteps = [
  'name',
  'connection',
  'greeting',
  'tls',
  'sign-in',
  'sender',
  'recipient',
  'accepted'
] as const
export type MailStepName = (typeof mailSteps)[number]
export interface MailStep {
  name: MailStepName
  ok: boolean
  text: string
}

const timeouts: Timeouts = { connectMs: 8_000, greetingMs: 8_000, commandMs: 8_000, finalDotMs: 20_000 }

/** Ends with the first step that fails. */
export async function tryServer(settings: SmtpSettings, mail: Mail, ca?: string): Promise<MailStep[]> {
  const name = await resolveName(settings.host)
  if (!name.ok) return [name]
  const heard: Heard = { peer: undefined, lines: [] }
  try {
    const { socket } = await signIn(settings, timeouts, ca, settings.oauth && tokenSource(settings.oauth), heard)
    return [name, ...stepsUntilIn(settings, heard, socket), ...(await deliver(socket, mail))]
  } catch (error) {
    const failed = { name: stageOf(error, settings, heard), ok: false, text: inOneLine(messageOf(error)) }
    const before = stepsUntilIn(settings, heard).filter(step => isBefore(step, failed))
    return [name, ...before, failed]
  }
}

const isBefore = (one: MailStep, other: MailStep) => mailSteps.indexOf(one.name) < mailSteps.indexOf(other.name)

async function resolveName(host: string): Promise<MailStep> {
  if (isIP(host)) return { name: 'name', ok: true, text: `${host} is an address.` }
  try {
    const found = await dns.lookup(host, { all: true })
    return { name: 'name', ok: true, text: `${host} is ${found.map(({ address }) => address).join(', ')}.` }
  } catch (error) {
    return { name: 'name', ok: false, text: `${host} was not found: ${messageOf(error)}` }
  }
}

function stepsUntilIn(settings: SmtpSettings, { peer, lines }: Heard, socket?: Socket): MailStep[] {
  const { host, port, user, secure } = settings
  const hasTls = secure || lines.slice(1).some(line => line.startsWith('220'))
  const texts: [MailStepName, string][] = [
    ['connection', `Connected to ${peer ?? host}, port ${port}.`],
    ['greeting', inOneLine(lines[0] ?? '')],
    ['tls', socket ? encryptionOf(socket) : hasTls ? 'Encrypted.' : 'Not encrypted.'],
    [
      'sign-in',
      user ? `Signed in as ${user}: ${inOneLine(lines.at(-1) ?? '')}` : 'No user is set: Rollcall did not sign in.'
    ]
  ]
  return texts.filter(([, text]) => text !== '').map(([name, text]) => ({ name, ok: true, text }))
}

function encryptionOf(socket: Socket): string {
  if (!(socket instanceof TLSSocket)) return 'Not encrypted.'
  const { subject, issuer, subjectaltname, valid_to: until } = socket.getPeerCertificate()
  const named = (names: { CN?: string | string[]; O?: string | string[] } | undefined) =>
    inOneLine([names?.CN ?? names?.O ?? 'no name'].flat().join(', '))
  const trust = socket.authorized ? 'trusted' : `not trusted (${messageOf(socket.authorizationError)})`
  return `${socket.getProtocol() ?? 'TLS'}; certificate for ${inOneLine(subjectaltname ?? named(subject))} from ${named(issuer)}, valid until ${until}, ${trust}.`
}

/** What nodemailer was doing when it failed. */
function stageOf(error: unknown, { secure }: SmtpSettings, { peer, lines }: Heard): MailStepName {
  const [command, code] = [wordIn(error, 'command'), wordIn(error, 'originalCode') || wordIn(error, 'code')]
  if (lines.length === 0 && peer === undefined)
    return secure && !/^E(CONN|TIMEDOUT|HOST|NET)/.test(code) ? 'tls' : 'connection'
  if (lines.length === 0 || !/^220/.test(lines[0] ?? '')) return 'greeting'
  if (wordIn(error, 'code') === 'EAUTH' || command.startsWith('AUTH')) return 'sign-in'
  if (code === 'ETLS' || command === 'STARTTLS' || /certificate|TLS|SSL/i.test(messageOf(error))) return 'tls'
  return command === 'EHLO' || command === 'HELO' ? 'greeting' : 'sign-in'
}

const wordIn = (error: unknown, name: string): string =>
  error instanceof Error && name in error ? String(Reflect.get(error, name)) : ''

async function deliver(socket: Socket, mail: Mail): Promise<MailStep[]> {
  const channel = new Channel(socket, () => {})
  const steps: MailStep[] = []
  const ask = async (name: MailStepName, text: string | Buffer, code: number, timeoutMs = timeouts.commandMs) => {
    channel.write(text, 1)
    const reply = await channel.next(timeoutMs)
    const ok = reply !== undefined && (reply.code === code || (code === 250 && reply.code === 251))
    steps.push({ name, ok, text: reply?.text ?? channel.closeReason })
    return ok
  }
  const [from = '', to = '', data = ''] = commandsFor(mail, false)
  const isReady =
    (await ask('sender', from, 250)) && (await ask('recipient', to, 250)) && (await ask('accepted', data, 354))
  if (isReady) {
    steps.pop()
    await ask('accepted', Buffer.concat(asText(mail.bytes())), 250, timeouts.finalDotMs)
  }
  await channel.quit()
  return steps
}
