/** Ways to the server that end when nothing comes back any more: a connection that hangs would stay in the pool for ever. */
import net from 'node:net'

/** What postgres.js tells of where the server is. */
export interface Whereabouts {
  path?: string | false | undefined
  host: string[]
  port: number[]
}

/**
 * Opens sockets in turn on each host. What was written and is not answered for `milliseconds` ends the socket, and with it
 * every statement on it; a socket may rest for as long as it likes.
 */
export function watchedSockets(milliseconds: number): (where: Whereabouts) => net.Socket {
  let turn = 0
  return ({ path, host, port }) => {
    const index = turn++ % host.length
    const socket = path ? net.connect(path) : net.connect(port[index]!, host[index]!)
    let answered = 0
    socket.on('data', () => (answered = socket.bytesWritten))
    socket.setTimeout(milliseconds, () => {
      if (socket.bytesWritten > answered) socket.destroy(new ServerSilent(milliseconds))
    })
    // where the driver looks for the name that a certificate must bear
    return Object.assign(socket, { host: host[index], port: port[index] })
  }
}

class ServerSilent extends Error {
  readonly code = 'DATABASE_DEADLINE'

  constructor(milliseconds: number) {
    super(`The database did not answer for ${milliseconds / 1000} s`)
  }
}
