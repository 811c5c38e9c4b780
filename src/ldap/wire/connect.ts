/** The only way to a directory. Before the connection is as safe as configured, only StartTLS is written (S14). */
import dns from 'node:dns/promises'
import net, { type Socket } from 'node:net'
import tls, { type TLSSocket } from 'node:tls'
import { ExtendedRequest } from 'ldapts'
import { asError, messageOf } from '../../lib/errors.ts'
import { DirectoryProblem, type DirectorySettings, type TestStepName } from '../directory.ts'
import { type Connection, converse } from './connection.ts'
import { isLoopback, type LdapUrl, parseLdapUrl } from './ldap-url.ts'
import type { Limits } from './limits.ts'
import { networkProblem, RefusedOperation } from './words.ts'

export interface Progress {
  begin(step: TestStepName): void
  done(text: string): void
}

export const silent: Progress = { begin: () => {}, done: () => {} }

export async function connect(
  settings: DirectorySettings,
  limits: Limits,
  signal?: AbortSignal,
  progress = silent
): Promise<Connection> {
  signal?.throwIfAborted()
  progress.begin('resolve')
  const address = parseLdapUrl(settings.url)
  refuseClearText(settings, address)
  progress.done(await resolve(address, limits, signal))

  progress.begin('connect')
  const socket = await openSocket(address, limits, signal)
  progress.done(`Connected to ${socket.remoteAddress} port ${socket.remotePort}`)

  progress.begin('tls')
  if (address.isLdaps) {
    const secured = await encrypt(socket, address, settings, limits, signal)
    progress.done(describe(secured))
    return converse(secured, limits, signal)
  }
  const connection = converse(socket, limits, signal)
  if (!settings.startTls) {
    const isHere = address.isLoopback && isLoopback(socket.remoteAddress ?? '')
    if (!isHere && !settings.allowPlain) {
      connection.destroy(clearTextRefusal(address))
      throw clearTextRefusal(address)
    }
    progress.done(isHere ? 'Not encrypted, on this machine only' : 'Not encrypted, as the settings allow')
    return connection
  }
  progress.done(describe(await startTls(connection, address, settings, limits, signal)))
  return connection
}

function refuseClearText({ startTls, allowPlain }: DirectorySettings, address: LdapUrl) {
  if (!address.isLdaps && !startTls && !allowPlain && !address.isLoopback) throw clearTextRefusal(address)
}

const clearTextRefusal = ({ host }: LdapUrl) =>
  new DirectoryProblem(
    `Passwords and addresses would be sent to ${host} unencrypted`,
    'Use ldaps://, turn on StartTLS, or allow unencrypted connections in the settings'
  )

async function resolve({ host }: LdapUrl, limits: Limits, signal?: AbortSignal): Promise<string> {
  if (net.isIP(host)) return `${host} is an address`
  const doing = `Looking up ${host}`
  const found = await inTime(dns.lookup(host, { all: true }), limits.connect, doing, signal).catch(error => {
    throw signal?.aborted ? signal.reason : networkProblem(doing, error)
  })
  return `${host} is ${found.map(({ address }) => address).join(', ')}`
}

function openSocket({ host, port }: LdapUrl, limits: Limits, signal?: AbortSignal): Promise<Socket> {
  const socket = net.connect({ host, port, autoSelectFamily: true, noDelay: true })
  return onceConnected(socket, 'connect', limits.connect, `Connecting to ${host} port ${port}`, signal)
}

function encrypt(
  socket: Socket,
  { host }: LdapUrl,
  { ca }: DirectorySettings,
  limits: Limits,
  signal?: AbortSignal
): Promise<TLSSocket> {
  // explicit: over an open socket Node would compare the certificate with "localhost"; an IP address is no server name
  const name = net.isIP(host) ? { host } : { host, servername: host }
  const doing = `Encrypting the connection to ${host}`
  socket.on('error', () => {})
  let secured: TLSSocket
  try {
    secured = tls.connect({ socket, ...name, ...(ca ? { ca } : {}), rejectUnauthorized: true, minVersion: 'TLSv1.2' })
  } catch (error) {
    socket.destroy()
    throw new DirectoryProblem(
      `${doing}: the CA certificate cannot be read. ${messageOf(error)}`,
      'Paste it as PEM, with its BEGIN and END lines'
    )
  }
  return onceConnected(secured, 'secureConnect', limits.handshake, doing, signal)
}

async function startTls(
  connection: Connection,
  address: LdapUrl,
  settings: DirectorySettings,
  limits: Limits,
  signal?: AbortSignal
): Promise<TLSSocket> {
  const doing = `Asking ${address.host} to encrypt (StartTLS)`
  try {
    const request = new ExtendedRequest({ messageId: 0, oid: '1.3.6.1.4.1.1466.20037' })
    const answer = await connection.send(request, doing)
    if (answer.status !== 0) throw new RefusedOperation(answer.status, doing, answer.errorMessage)
    const secured = await encrypt(connection.release(), address, settings, limits, signal)
    connection.resume(secured)
    return secured
  } catch (error) {
    // the connection is open and unencrypted: never return it
    connection.destroy(asError(error))
    throw error
  }
}

function onceConnected<T extends Socket>(
  socket: T,
  event: 'connect' | 'secureConnect',
  limit: number,
  doing: string,
  signal?: AbortSignal
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const fail = (error: unknown) => {
      finish()
      socket.on('error', () => {}).destroy()
      reject(signal?.aborted ? signal.reason : networkProblem(doing, error))
    }
    const timer = setTimeout(() => fail({ code: 'ETIMEDOUT' }), limit)
    const onClose = () => fail({ code: 'ECONNRESET' })
    const onAbort = () => fail(signal?.reason)
    const succeed = () => {
      finish()
      resolve(socket)
    }
    function finish() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      socket.off('error', fail).off('close', onClose).off(event, succeed)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.on('error', fail).on('close', onClose).on(event, succeed)
  })
}

function inTime<T>(work: Promise<T>, limit: number, doing: string, signal?: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(networkProblem(doing, { code: 'ETIMEDOUT' })), limit)
    const onAbort = () => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    })
  })
}

function describe(socket: TLSSocket): string {
  const certificate = socket.getPeerCertificate()
  const names = certificate.subjectaltname?.replace(/(DNS|IP Address):/g, '') ?? [certificate.subject?.CN].join()
  const by = certificate.issuer?.O ?? certificate.issuer?.CN ?? 'no name'
  return `${socket.getProtocol()}, certificate for ${names}, issued by ${by}, valid until ${certificate.valid_to}`
}
