/**
 * Ways to the server that end when nothing comes back any more, since a connection that hangs would stay in the pool for
 * ever, and that look for the server that takes writes when there are several.
 */
import type net from 'node:net'
import { Duplex } from 'node:stream'
import { first } from '../../lib/ends.ts'
import { asError } from '../../lib/errors.ts'
import type { DatabaseAddress, Host } from './database-url.ts'
import { dial } from './dial.ts'

export interface Sockets {
  /** For the driver: a socket that is connected, or one that fails with the reason right after it was handed out. */
  open: () => Promise<Duplex>
  /** How long the driver waits before it tries again, in seconds. */
  backoff: () => number
  /** Connections at the moment. */
  count: () => number
}

/** Which server to go to; asked again once a connection to it has ended. */
export type ChooseHost = (address: DatabaseAddress) => Promise<Host>

/**
 * What was written and is not answered for `silentMilliseconds` ends the socket, and with it every statement on it; a
 * socket may rest for as long as it likes. 0: for ever.
 */
export function socketsTo(address: DatabaseAddress, silentMilliseconds: number, choose: ChooseHost): Sockets {
  const open = new Set<net.Socket>()
  const single = address.hosts.length === 1 ? Promise.resolve(first(address.hosts)) : undefined
  let chosen: Promise<Host> | undefined
  let failures = 0

  const forget = () => {
    chosen = undefined
  }
  async function connected(): Promise<net.Socket> {
    chosen ??= single ?? choose(address)
    const host = await chosen
    const socket = await dial(host, address)
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      forget()
    })
    if (silentMilliseconds > 0) endWhenSilent(socket, silentMilliseconds)
    // for the driver's words about it
    return Object.assign(socket, { host: host.name, port: host.port })
  }
  return {
    count: () => open.size,
    // the driver's own pauses grow to 20 s, for which the database would be back already
    backoff: () => Math.min(0.02 * 2 ** failures, 1) * (0.5 + Math.random() / 2),
    async open() {
      try {
        const socket = await connected()
        failures = 0
        return socket
      } catch (error) {
        failures += 1
        forget()
        return failing(asError(error))
      }
    }
  }
}

function endWhenSilent(socket: net.Socket, milliseconds: number) {
  let answered = socket.bytesWritten
  socket.on('data', () => (answered = socket.bytesWritten))
  socket.on('timeout', () => {
    if (socket.bytesWritten > answered) socket.destroy(new ServerSilent(milliseconds))
  })
  socket.setTimeout(milliseconds)
}

/** The driver would lose the connection of a socket that is not handed out at all. */
function failing(error: Error): Duplex {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  setImmediate(() => socket.destroy(error))
  return socket
}

class ServerSilent extends Error {
  readonly code = 'DATABASE_DEADLINE'

  constructor(milliseconds: number) {
    super(`The database did not answer for ${milliseconds / 1000} s`)
  }
}
