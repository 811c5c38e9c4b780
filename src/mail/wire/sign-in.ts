/**
 * How a connection comes about: nodemailer connects, secures and signs in; from there on conversation.ts speaks. The only
 * file that knows nodemailer.
 */
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SmtpSettings } from '../../config.ts'
import type { Patience } from './conversation.ts'

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
        const taken = takeOver(connection)
        if (taken) resolve(taken)
        else fail(new Error('The mail server closed the connection'))
      }
      connection.connect(error => {
        if (error) return fail(error)
        if (!user) return handOver()
        connection.login({ user, pass: password ?? '' }, refusal => (refusal ? fail(refusal) : handOver()))
      })
    }
  )
}

/** What nodemailer keeps to itself: the extensions that EHLO listed. */
interface Inside {
  _supportedExtensions?: string[]
}

function takeOver(connection: SMTPConnection) {
  const socket = connection._socket
  if (!socket || socket.destroyed) return undefined
  for (const event of ['data', 'end', 'close', 'error', 'timeout']) socket.removeAllListeners(event)
  socket.setTimeout(0)
  const offered = (connection as unknown as Inside)._supportedExtensions ?? []
  return { socket, offers: { pipelining: offered.includes('PIPELINING'), smtputf8: offered.includes('SMTPUTF8') } }
}
