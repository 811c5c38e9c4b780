/**
 * How a connection comes about: nodemailer connects, secures and signs in; from there on conversation.ts speaks. The only
 * file that knows nodemailer.
 */
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type XOAuth2 from 'nodemailer/lib/xoauth2'
import type { SmtpSettings } from '../../config/smtp.ts'
import type { Patience } from './conversation.ts'

/** Bytes that a server may say until we are signed in. */
const mostWords = 65_536

/** Connects, upgrades to TLS where it must or may, signs in, and hands the bare socket over. */
export function signIn(settings: SmtpSettings, patience: Patience, ca: string | undefined, token?: TokenSource) {
  const { host, port, secure, requireTls, user, name } = settings
  // without a demand for TLS an upgrade that proves nothing still beats clear text
  const tls = { ...(ca ? { ca } : {}), rejectUnauthorized: requireTls || secure }
  const timeouts = {
    connectionTimeout: patience.connect,
    dnsTimeout: patience.connect,
    greetingTimeout: patience.greeting,
    socketTimeout: patience.command
  }
  const connection = new SMTPConnection({ host, port, secure, requireTLS: requireTls, name, tls, ...timeouts })
  return new Promise<{ socket: import('node:net').Socket; offers: { pipelining: boolean; smtputf8: boolean } }>(
    (resolve, reject) => {
      const fail = (error: Error) => {
        connection.close()
        reject(error)
      }
      connection.on('error', fail)
      // the reason, where there is one, is told after the end
      connection.once('end', () => setImmediate(reject, new Error('The mail server closed the connection')))
      const handOver = () => {
        if (hasMore(connection)) return fail(new Error('The mail server answered more often than it was asked'))
        const taken = takeOver(connection)
        if (taken) resolve(taken)
        else fail(new Error('The mail server closed the connection'))
      }
      limitWords(connection, () => fail(new Error('The mail server talks without end')))
      connection.connect(error => {
        if (error) return fail(error)
        if (!user || hasMore(connection)) return handOver()
        const problem = mechanismProblem(connection, settings)
        if (problem) return fail(new Error(problem))
        login(connection, settings, token).then(handOver, fail)
      })
    }
  )
}

export type TokenSource = (isRefused?: boolean) => Promise<string>

async function login(connection: SMTPConnection, { user, password }: SmtpSettings, token: TokenSource | undefined) {
  if (!token) return loginOnce(connection, { user, pass: password ?? '' })
  const withToken = (value: string) => {
    const oauth2 = {
      // after a 334 nodemailer asks for another one
      getToken: (isRefused: boolean, done: (error: Error | null, value?: string) => void) => {
        if (!isRefused) return done(null, value)
        token(true).then(
          renewed => done(null, renewed),
          error => done(error as Error)
        )
      },
      buildXOAuth2Token: (each: string) => Buffer.from(`user=${user}\x01auth=Bearer ${each}\x01\x01`).toString('base64')
    }
    return loginOnce(connection, { user, oauth2: oauth2 as unknown as XOAuth2 })
  }
  const kept = await token()
  try {
    return await withToken(kept)
  } catch (error) {
    // refused at once, or a second time after nodemailer had renewed it
    const current = await token()
    if ((error as { responseCode?: number }).responseCode !== 535 || current !== kept) throw error
    return withToken(await token(true))
  }
}

const loginOnce = (connection: SMTPConnection, auth: Parameters<SMTPConnection['login']>[0]) =>
  new Promise<void>((resolve, reject) => connection.login(auth, refusal => (refusal ? reject(refusal) : resolve())))

/** Why we cannot sign in with what the server offers, and what to set; undefined when we can, or it offers nothing. */
function mechanismProblem(connection: SMTPConnection, { host, oauth }: SmtpSettings): string | undefined {
  const lines = inside(connection)._ehloLines ?? []
  const offered = lines.flatMap(line => /^AUTH[ =](.*)$/i.exec(line)?.[1]?.toUpperCase().split(/[ =]+/) ?? [])
  if (offered.length === 0) return undefined
  const list = offered.slice(0, 20).join(' ')
  if (oauth)
    return offered.includes('XOAUTH2')
      ? undefined
      : `${host} offers AUTH ${list}, not XOAUTH2. Remove SMTP_OAUTH_… and enter a password in SMTP_URL`
  if (offered.some(each => ['PLAIN', 'LOGIN', 'CRAM-MD5'].includes(each))) return undefined
  if (offered.includes('XOAUTH2'))
    return `${host} offers only AUTH ${list} and takes no password. Set SMTP_OAUTH_TOKEN_URL, SMTP_OAUTH_CLIENT_ID and SMTP_OAUTH_CLIENT_SECRET, and name a user without a password in SMTP_URL`
  return `${host} offers only AUTH ${list}; Rollcall can use PLAIN, LOGIN, CRAM-MD5 or XOAUTH2. Turn one of them on at the mail server`
}

/** What nodemailer keeps to itself: the extensions that EHLO listed, and what it has read ahead. */
interface Inside {
  _supportedExtensions?: string[]
  _ehloLines?: string[]
  _responseQueue: string[]
  _remainder: string
  _onSocketData: (chunk: Buffer) => void
}

const inside = (connection: SMTPConnection) => connection as unknown as Inside

/** Replies that nobody asked for: nodemailer would take them for the answer to its next command. */
function hasMore(connection: SMTPConnection): boolean {
  const { _responseQueue, _remainder } = inside(connection)
  return _remainder !== '' || _responseQueue.some(line => line.trim() !== '')
}

/** nodemailer bounds one reply, not many, and keeps blank lines. */
function limitWords(connection: SMTPConnection, stop: () => void) {
  const read = inside(connection)._onSocketData
  let seen = 0
  inside(connection)._onSocketData = chunk => {
    seen += chunk.length
    if (seen > mostWords) stop()
    else read(chunk)
  }
}

function takeOver(connection: SMTPConnection) {
  const socket = connection._socket
  if (!socket || socket.destroyed) return undefined
  for (const event of ['data', 'end', 'close', 'error', 'timeout']) socket.removeAllListeners(event)
  socket.setTimeout(0)
  const offered = inside(connection)._supportedExtensions ?? []
  return { socket, offers: { pipelining: offered.includes('PIPELINING'), smtputf8: offered.includes('SMTPUTF8') } }
}
