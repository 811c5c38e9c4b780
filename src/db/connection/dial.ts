/** One connection to one server: TCP or a unix socket, and TLS as the PostgreSQL protocol starts it. */
import net from 'node:net'
import tls from 'node:tls'
import type { DatabaseAddress, Host } from './database-url.ts'

const tlsRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

class NotEncrypted extends Error {
  readonly code = 'DATABASE_UNREACHABLE'
}

export const labelOf = ({ name, port }: Host): string =>
  name.startsWith('/') ? `${name}/.s.PGSQL.${port}` : `${name.includes(':') ? `[${name}]` : name}:${port}`

/** Connects with the TLS that was asked for. @throws on timeout, refusal, missing TLS or an untrusted certificate. */
export async function dial(host: Host, { tls: wanted, connectSeconds }: DatabaseAddress): Promise<net.Socket> {
  const isLocal = host.name.startsWith('/')
  const socket = isLocal ? net.connect(labelOf(host)) : net.connect({ host: host.name, port: host.port })
  const late = new Error(`no connection to ${labelOf(host)} within ${connectSeconds} s`)
  const timer = setTimeout(
    () => socket.destroy(Object.assign(late, { code: 'CONNECT_TIMEOUT' })),
    connectSeconds * 1000
  )
  try {
    await once(socket, 'connect')
    if (isLocal || wanted.mode === 'disable') return socket
    if (await offersTls(socket)) return await secure(socket, host, wanted)
    if (wanted.mode === 'prefer') return socket
    socket.destroy()
    throw new NotEncrypted(`${labelOf(host)} does not offer TLS, which sslmode=${wanted.mode} asks for`)
  } finally {
    clearTimeout(timer)
  }
}

async function offersTls(socket: net.Socket): Promise<boolean> {
  socket.write(tlsRequest)
  const answer = await once(socket, 'data')
  // bytes after the answer would be text injected before encryption (CVE-2021-23222)
  if (answer.length > 1 && answer[0] === 83) socket.destroy()
  return answer.length === 1 && answer[0] === 83
}

async function secure(plain: net.Socket, { name }: Host, { mode, ...certificates }: DatabaseAddress['tls']) {
  const secured = tls.connect({
    socket: plain,
    host: name,
    ALPNProtocols: ['postgresql'],
    ...certificates,
    ...(net.isIP(name) ? {} : { servername: name }),
    rejectUnauthorized: mode.startsWith('verify'),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined })
  })
  await once(secured, 'secureConnect')
  return secured
}

/** Resolves with what comes with the event: bytes, or none. */
function once(socket: net.Socket, event: 'connect' | 'data' | 'secureConnect'): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void) => {
      socket.off(event, happened).off('error', failed).off('close', closed)
      act()
    }
    const happened = (bytes = Buffer.alloc(0)) => finish(() => resolve(bytes))
    const failed = (error: Error) => finish(() => reject(error))
    const closed = () =>
      failed(Object.assign(new Error('the server closed the connection'), { code: 'CONNECTION_CLOSED' }))
    socket.on(event, happened).on('error', failed).on('close', closed)
  })
}
