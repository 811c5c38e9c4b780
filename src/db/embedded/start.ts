/** The embedded PostgreSQL: one server per data folder, reached over a unix socket only. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { messageOf } from '../../lib/errors.ts'
import { takeFolder } from './data-folder.ts'
import { binaries, giveTo, type Identity, identityFor, placeFor } from './postgres-binaries.ts'
import {
  end,
  findRunning,
  initialize,
  isServing,
  launch,
  type ServerPlace,
  type ServerProcess,
  urlOf
} from './postgres-process.ts'

interface Log {
  error: (facts: object, message: string) => void
}

export interface EmbeddedServer {
  url: string
  /** The data folder, or /var/lib if the server's user cannot reach that. */
  folder: string
  watch: (log: Log) => void
  stop: () => Promise<void>
}

export interface EmbeddedOptions {
  throwaway?: boolean
  connections?: number
}

/** Starts the server for `wanted`, or adopts a running one. @throws DataFolderTaken, or Error with the server's log. */
export async function startEmbedded(wanted: string, options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const { throwaway = false, connections = 0 } = options
  const folder = placeFor(path.resolve(wanted))
  const giveUp = takeFolder(folder)
  try {
    const place = { ...(await prepare(folder)), throwaway, connections }
    await initialize(place)
    makePrivate(place.data, place.identity)
    const found = await findOrLaunch(place)
    if (found.sockets !== place.sockets) fs.rmSync(place.sockets, { recursive: true, force: true })
    return serverOf({ ...place, sockets: found.sockets }, found.pid, () => {
      giveUp()
      for (const each of throwaway ? [place.sockets, folder] : [place.sockets])
        fs.rmSync(each, { recursive: true, force: true })
    })
  } catch (error) {
    giveUp()
    throw error
  }
}

/** The address of the running server of a data folder. */
export async function findEmbedded(wanted: string): Promise<string | undefined> {
  const found = await findRunning(path.join(placeFor(path.resolve(wanted)), 'pg18'))
  return found && urlOf(found.sockets)
}

async function prepare(folder: string) {
  const data = path.join(folder, 'pg18')
  const identity = identityFor(data)
  const bin = await binaries(identity)
  return { bin, data, sockets: socketFolder(folder, identity), identity }
}

/** The limit for a socket's path is 104 bytes on macOS and 108 on Linux, the final 0 included. */
const maxSocketBytes = 103
const isShort = (folder: string) => Buffer.byteLength(path.join(folder, '.s.PGSQL.5432')) <= maxSocketBytes

/** Next to the data, or a temporary folder if that path is too long or looks like a list to PostgreSQL. */
function socketFolder(folder: string, identity: Identity): string {
  const beside = path.join(folder, 'socket')
  if (isShort(beside) && /^[\w./@+-]+$/.test(beside)) {
    makePrivate(beside, identity)
    return beside
  }
  const parent = [os.tmpdir(), '/tmp'].find(each => isShort(path.join(each, 'rollcall-123456')))
  if (!parent)
    throw new Error(`the paths of ${folder} and ${os.tmpdir()} are too long for a socket: set a shorter TMPDIR`)
  const made = fs.mkdtempSync(path.join(parent, 'rollcall-'))
  makePrivate(made, identity)
  return made
}

function makePrivate(folder: string, identity: Identity) {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = fs.lstatSync(folder)
  const own = process.getuid?.()
  const isOurs = found.isDirectory() && (own === undefined || found.uid === own || found.uid === identity.uid)
  if (!isOurs) throw new Error(`${folder} belongs to another user (${found.uid})`)
  fs.chmodSync(folder, 0o700)
  giveTo(identity, folder)
}

function serverOf(place: ServerPlace, firstPid: number, tidyUp: () => void): EmbeddedServer {
  let pid = firstPid
  let timer: NodeJS.Timeout | undefined
  let restart: Promise<void> | undefined

  async function keepAlive(log: Log) {
    if (restart || isServing(pid, place.data)) return
    log.error({}, 'The database server ended, restarting it')
    restart = findOrLaunch(place).then(
      found => {
        pid = found.pid
      },
      error => log.error({ err: error }, 'The database server does not start, trying again')
    )
    await restart
    restart = undefined
  }

  return {
    url: urlOf(place.sockets),
    folder: path.dirname(place.data),
    watch(log) {
      timer = setInterval(keepAlive, 500, log).unref()
    },
    async stop() {
      clearInterval(timer)
      await restart
      await end(pid, place.data)
      tidyUp()
    }
  }
}

/** A killed server's helpers block a new one for a moment, and a late server of a killed start may win the race. */
async function findOrLaunch(place: ServerPlace, tries = 20): Promise<ServerProcess> {
  const found = await findRunning(place.data)
  if (found) return found
  try {
    return await launch(place)
  } catch (error) {
    if (tries === 0 || !/still in use|already exists/.test(messageOf(error))) throw error
    await new Promise(resolve => setTimeout(resolve, 250))
    return findOrLaunch(place, tries - 1)
  }
}
