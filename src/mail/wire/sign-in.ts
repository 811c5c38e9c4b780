/** Connects, secures and signs in with nodemailer, which no other file knows; then conversation.ts takes over. */
import type { Socket } from 'node:net'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type XOAuth2 from 'nodemailer/lib/xoauth2'
import type { SmtpSettings } from '../../config/smtp.ts'
import { asError } from '../../lib/errors.ts'
import type { Offers } from './conversation.ts'
import type { Timeouts } from './timeouts.ts'

const maxBytes = 65_536

/** Connects, upgrades to TLS if possible or required, signs in, and hands over the bare socket. */
export function signIn(
  settings: SmtpSettings,
  timeouts: Timeouts,
  ca: string | undefined,
  token?: TokenSource,
  heard?: Heard
): Promise<SignedIn> {
  const connection = newConnection(settings, timeouts, ca, heard)
  return new Promise((resolve, reject) => {
    const fail = (reason: string | Error) => {
      connection.close()
      reject(typeof reason === 'string' ? new Error(reason) : reason)
    }
    connection.on('error', fail)
    // an error that explains it comes after the end
    connection.once('end', () => setImmediate(reject, new Error(closed)))
    limitBytes(connection, () => fail('The mail server sends without end'))
    const handOver = () => {
      if (hasMore(connection)) return fail('The mail server sent more replies than it was asked for')
      const signedIn = takeOver(connection)
      if (signedIn) resolve(signedIn)
      else fail(closed)
    }
    connection.connect(error => {
      if (error) return fail(error)
      if (!settings.user || hasMore(connection)) return handOver()
      const problem = mechanismProblem(connection, settings)
      if (problem) return fail(problem)
      login(connection, settings, token).then(handOver, fail)
    })
  })
}

interface SignedIn {
  socket: Socket
  offers: Offers
}

const closed = 'The mail server closed the connection'

/** What the server says meanwhile, for a test. */
export interface Heard {
  peer: string | undefined
  lines: string[]
}

/** nodemailer tells a logger of the connection and of each reply. */
function listener(heard: Heard) {
  const ignore = () => {}
  return {
    trace: ignore,
    warn: ignore,
    error: ignore,
    fatal: ignore,
    info: ({ tnx, remoteAddress }: Entry) => {
      if (tnx === 'network' && remoteAddress !== undefined) heard.peer = remoteAddress
    },
    debug: ({ tnx }: Entry, ...words: unknown[]) => void (tnx === 'server' && heard.lines.push(words.join(' ')))
  }
}
type Entry = { tnx?: string; remoteAddress?: string }

function newConnection(settings: SmtpSettings, timeouts: Timeouts, ca: string | undefined, heard?: Heard) {
  const { host, port, secure, requireTls, name } = settings
  return new SMTPConnection({
    host,
    port,
    secure,
    requireTLS: requireTls,
    name,
    ...(heard && { logger: listener(heard), transactionLog: true }),
    // if TLS is not required, an unverified upgrade is still better than clear text
    tls: { ...(ca ? { ca } : {}), rejectUnauthorized: requireTls || secure },
    connectionTimeout: timeouts.connectMs,
    dnsTimeout: timeouts.connectMs,
    greetingTimeout: timeouts.greetingMs,
    socketTimeout: timeouts.commandMs
  })
}

export type TokenSource = (isRefused?: boolean) => Promise<string>

async function login(connection: SMTPConnection, { user, password }: SmtpSettings, token: TokenSource | undefined) {
  if (!token) return loginOnce(connection, { user, pass: password ?? '' })
  const withToken = (value: string) => {
    const oauth2 = {
      // after a 334 nodemailer asks for a new token
      getToken: (isRefused: boolean, done: (error: Error | null, value?: string) => void) => {
        if (!isRefused) return done(null, value)
        token(true).then(
          renewed => done(null, renewed),
          error => done(asError(error))
        )
      },
      buildXOAuth2Token: (each: string) => Buffer.from(`user=${user}\x01auth=Bearer ${each}\x01\x01`).toString('base64')
    }
    return loginOnce(connection, { user, oauth2: oauth2 as unknown as XOAuth2 })
  }
  const cached = await token()
  try {
    return await withToken(cached)
  } catch (error) {
    // refused at once, or again after nodemailer renewed it
    const current = await token()
    const isRefused = error instanceof Error && 'responseCode' in error && error.responseCode === 535
    if (!isRefused || current !== cached) throw error
    return withToken(await token(true))
  }
}

const loginOnce = (connection: SMTPConnection, auth: Parameters<SMTPConnection['login']>[0]) =>
  new Promise<void>((resolve, reject) => connection.login(auth, refusal => (refusal ? reject(refusal) : resolve())))

/** Why we cannot sign in, and what to set. Undefined when we can, or when the server offers nothing. */
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
  return `${host} offers only AUTH ${list}; Rollcall can use PLAIN, LOGIN, CRAM-MD5 or XOAUTH2. Turn on one of them in the mail server`
}

/** Private parts of nodemailer. */
interface Inside {
  _supportedExtensions?: string[]
  _ehloLines?: string[]
  _responseQueue: string[]
  _remainder: string
  _onSocketData: (chunk: Buffer) => void
}

const inside = (connection: SMTPConnection) => connection as unknown as Inside

/** Unrequested replies: nodemailer would take them for the reply to its next command. */
function hasMore(connection: SMTPConnection): boolean {
  const { _responseQueue, _remainder } = inside(connection)
  return _remainder !== '' || _responseQueue.some(line => line.trim() !== '')
}

/** nodemailer limits the size of one reply but not their number, and keeps blank lines. */
function limitBytes(connection: SMTPConnection, stop: () => void) {
  const read = inside(connection)._onSocketData
  let seen = 0
  inside(connection)._onSocketData = chunk => {
    seen += chunk.length
    if (seen > maxBytes) stop()
    else read(chunk)
  }
}

function takeOver(connection: SMTPConnection): SignedIn | undefined {
  const socket = connection._socket
  if (!socket || socket.destroyed) return undefined
  for (const event of ['data', 'end', 'close', 'error', 'timeout']) socket.removeAllListeners(event)
  socket.setTimeout(0)
  const offered = inside(connection)._supportedExtensions ?? []
  return { socket, offers: { pipelining: offered.includes('PIPELINING'), smtputf8: offered.includes('SMTPUTF8') } }
}
