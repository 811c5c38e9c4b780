/**
 * How a connection comes about: nodemailer connects, secures and signs in; from there on conversation.ts speaks. The only
 * file that knows nodemailer.
 */
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SmtpSettings } from '../../config.ts'
import type { Patience } from './conversation.ts'

/** Bytes that a server may say until we are signed in. */
const mostWords = 65_536

/** Connects, upgrades to TLS where it must or may, signs in, and hands the bare socket over. */
export function signIn(settings: SmtpSettings, patience: Patience, ca: string | undefined) {
  const { host, port, secure, requireTls, user, password, name } = settings
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
        connection.login({ user, pass: password ?? '' }, refusal => (refusal ? fail(refusal) : handOver()))
      })
    }
  )
}

/** What nodemailer keeps to itself: the extensions that EHLO listed, and what it has read ahead. */
interface Inside {
  _supportedExtensions?: string[]
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
