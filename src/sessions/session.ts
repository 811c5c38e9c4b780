/** A signed-in browser: an opaque token in a cookie, its SHA-256 in the database. */
import { createHash, randomBytes } from 'node:crypto'

export const idleMinutes = 30
export const absoluteHours = 12

/** 256 random bits in 43 characters. */
export const newSessionToken = () => randomBytes(32).toString('base64url')

export const hashSessionToken = (token: string) => createHash('sha256').update(token).digest()

/** The network that a guesser is counted by: an IPv4 address, or the /64 of an IPv6 one, however it is spelled. */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)
  if (mapped) return mapped[1]!
  if (!ip.includes(':')) return ip
  const [head = '', tail = ''] = ip.split('%')[0]!.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === '' ? [] : tail.split(':')
  const zeros = ip.includes('::') ? Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0') : []
  const groups = [...before, ...zeros, ...after].slice(0, 4)
  return `${groups.map(group => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}

/** How long an account waits after so many failures in a row, in seconds: never a lock, never a hundred guesses a day. */
export function accountDelay(failures: number): number {
  return failures < 20 ? 0 : Math.min(3600, 15 * 2 ** Math.floor((failures - 20) / 4))
}
