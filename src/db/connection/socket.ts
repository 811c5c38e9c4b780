/** Sockets that end when the server is silent: one that hangs would stay in the pool forever. */
import type net from 'node:net'
import { Duplex } from 'node:stream'
import { first } from '../../lib/ends.ts'
import { asError } from '../../lib/errors.ts'
import type { DatabaseAddress, Host } from './database-url.ts'
import { dial } from './dial.ts'

export interface Sockets {
  /** Returns a connected socket, or one that fails with the reason right after the driver got it. */
  open: () => Promise<Duplex>
  backoff: () => number
  count: () => number
}

/** Called again after a connection to the chosen host has ended. */
export type ChooseHost = (address: DatabaseAddress) => Promise<Host>

/** Ends a socket when what was written stays unanswered for `silentMilliseconds` (0: never); idle ones stay open. */
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
    // the driver's error messages name these
    return Object.assign(socket, { host: host.name, port: host.port })
  }
  return {
    count: () => open.size,
    // the driver's own pauses grow to 20 s, long after the database is back
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

/** The driver would lose the connection of a socket that it never got. */
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
