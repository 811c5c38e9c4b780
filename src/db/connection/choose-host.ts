import { first } from '../../lib/ends.ts'
import { asError } from '../../lib/errors.ts'
import { reasonOf } from '../faults.ts'
import type { DatabaseAddress, Host } from './database-url.ts'
import { dial, labelOf } from './dial.ts'
import { loginOf, openDriver } from './driver-options.ts'

class NoServer extends Error {
  readonly code = 'DATABASE_UNREACHABLE'
}

/** The first host that answers (after a failover, one that takes writes). @throws with a reason for each host. */
export async function chooseHost(address: DatabaseAddress): Promise<Host> {
  if (address.target === 'any') return firstThatAnswers(address)
  const found = address.hosts.map(host => writable(host, address))
  return Promise.any(found).catch((error: AggregateError) => {
    throw noneOf(address, error.errors)
  })
}

async function firstThatAnswers(address: DatabaseAddress): Promise<Host> {
  const reasons: Error[] = []
  for (const host of address.hosts) {
    try {
      const socket = await dial(host, address)
      socket.destroy()
      return host
    } catch (error) {
      reasons.push(asError(error))
    }
  }
  throw noneOf(address, reasons)
}

function noneOf({ hosts }: DatabaseAddress, reasons: Error[]): NoServer {
  const each = hosts.map((host, index) => `${labelOf(host)}: ${reasonOf(reasons[index])}`)
  return new NoServer(`none of ${hosts.length} servers accepts writes (${each.join('; ')})`)
}

async function writable(host: Host, address: DatabaseAddress): Promise<Host> {
  const alone = { ...address, hosts: [host] }
  const client = openDriver({ ...loginOf(alone), max: 1, socket: () => dial(host, address) })
  try {
    const row = first(
      await client`
      select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as "readOnly"`
    )
    if (row.standby) throw new Error('a standby')
    if (row.readOnly) throw new Error('read-only')
    return host
  } finally {
    client.end({ timeout: 1 }).catch(() => {})
  }
}
