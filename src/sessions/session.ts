import { createHash, randomBytes } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { groupsOf, plainAddress } from '../lib/network.ts'

export const idleMinutes = 30
export const absoluteHours = 12
/** For the second factor. */
export const ticketMinutes = 10

/** 256 random bits in 43 characters. */
export const newSessionToken = () => randomBytes(32).toString('base64url')

export const hashSessionToken = (token: string) => createHash('sha256').update(token).digest()

/** The network by which guesses are counted: an IPv4 address, or an IPv6 /64; anything else is one network. */
export function networkOf(ip: string): string {
  const address = plainAddress(ip)
  if (address === undefined) return 'unknown'
  return isIPv4(address) ? address : `${groupsOf(address).slice(0, 4).join(':')}::/64`
}

/** Seconds to wait after failures in a row: never a lockout, but fewer than a hundred guesses a day. */
export function accountDelay(failures: number): number {
  return failures < 20 ? 0 : Math.min(3600, 15 * 2 ** Math.floor((failures - 20) / 4))
}
