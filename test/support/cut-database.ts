import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { readDatabaseUrl } from '../../src/db/connection/database-url.ts'
import { labelOf } from '../../src/db/connection/dial.ts'

/** A connection to the database that can be cut and restored, and that can swallow all data. */
export interface Cable {
  through: (url: string) => Promise<string>
  /** As if the server were down: connections end, new ones are refused. */
  cut: () => void
  mend: () => Promise<void>
  /** As if the server hung: nothing is answered. */
  hang: () => void
}

export function layCable(): Cable {
  const open = new Set<net.Socket>()
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-cable-'))
  const socket = path.join(folder, '.s.PGSQL.5432')
  let server: net.Server | undefined
  let target: net.NetConnectOpts
  let isHung = false
  const listen = async () => {
    server = net.createServer(client => {
      const there = net.connect(target)
      for (const each of [client, there]) {
        open.add(each)
        each.on('error', () => {})
        each.on('close', () => open.delete(each))
      }
      if (isHung) client.resume()
      else client.pipe(there).pipe(client)
    })
    await new Promise<void>(resolve => server!.listen(socket, resolve))
  }
  return {
    through: async url => {
      target = targetOf(url)
      await listen()
      const own = new URL(url)
      own.hostname = 'localhost'
      own.port = '5432'
      own.searchParams.set('host', folder)
      return own.href
    },
    cut: () => {
      server?.close()
      for (const each of open) each.destroy()
    },
    mend: listen,
    hang: () => {
      isHung = true
      for (const each of open) each.unpipe().resume()
    }
  }
}

function targetOf(url: string): net.NetConnectOpts {
  const [host] = readDatabaseUrl(url).hosts
  return host!.name.startsWith('/') ? { path: labelOf(host!) } : { host: host!.name, port: host!.port }
}
