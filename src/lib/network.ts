import { isIPv4, isIPv6 } from 'node:net'

/**
 * The IP address in a text, in one spelling: IPv4 in decimal, IPv6 as in RFC 5952. Drops a port, brackets and a zone; IPv4 inside IPv6
 * (`::ffff:0:0/96`, and `64:ff9b::/96` of RFC 6052) becomes IPv4. Undefined when there is none.
 */
export function plainAddress(text: string): string | undefined {
  const [bare = ''] = withoutPort(text.trim()).split('%', 1)
  if (isIPv4(bare)) return bare
  if (!isIPv6(bare)) return undefined
  const address = new URL(`http://[${bare}]`).hostname.slice(1, -1)
  return embeddedIn(address) ?? address
}

/** `203.0.113.7:443` and `[2001:db8::1]:443` have a port; a bare IPv6 address has only colons. */
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

/** The eight groups of an IPv6 address as `plainAddress` spells it. */
export function groupsOf(address: string): string[] {
  const [before = [], after = []] = address.split('::').map(half => (half === '' ? [] : half.split(':')))
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
}
