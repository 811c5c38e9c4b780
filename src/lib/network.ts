import { isIPv4, isIPv6 } from 'node:net'

/** One spelling of an IP address, without port, brackets or zone; IPv4 inside IPv6 (also RFC 6052) becomes IPv4. */
export function plainAddress(text: string): string | undefined {
  const [bare = ''] = withoutPort(text.trim()).split('%', 1)
  if (isIPv4(bare)) return bare
  if (!isIPv6(bare)) return undefined
  const address = new URL(`http://[${bare}]`).hostname.slice(1, -1)
  return embeddedIn(address) ?? address
}

/** A bare IPv6 address has only colons. */
function withoutPort(text: string): string {
  if (text.startsWith('[')) return /^\[([^\]]{2,100})\](?::\d{1,5})?$/.exec(text)?.[1] ?? ''
  const [host = '', port = '', ...more] = text.split(':', 3)
  return more.length === 0 && /^\d{1,5}$/.test(port) ? host : text
}

function embeddedIn(address: string): string | undefined {
  const [, high, low] = /^(?:::ffff:(?=.*:)|64:ff9b::)(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/.exec(address) ?? []
  if (low === undefined) return undefined
  const bits = Number.parseInt(high ?? '0', 16) * 0x10000 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map(shift => Math.floor(bits / 2 ** shift) % 256).join('.')
}

export function groupsOf(address: string): string[] {
  const [before = [], after = []] = address.split('::').map(half => (half === '' ? [] : half.split(':')))
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
}
