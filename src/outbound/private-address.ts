/** Which addresses no request of Rollcall may reach by itself: private, link-local, loopback and reserved ones (RFC 6890). */
import { BlockList, isIP, isIPv6 } from 'node:net'

const ranges = {
  ipv4: `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
    192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4`,
  ipv6: `::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16
    fc00::/7 fe80::/10 fec0::/10 ff00::/8`
}

/** A list for each family: in one, the mapped addresses of IPv6 would close all of IPv4. */
const closed = { ipv4: listOf('ipv4'), ipv6: listOf('ipv6') }

function listOf(family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const range of ranges[family].split(/\s+/)) {
    const [address = '', bits] = range.split('/')
    list.addSubnet(address, Number(bits), family)
  }
  return list
}

/** Is this IP address anything but a public one? Text that is no IP address counts as private. */
export function isPrivate(address: string): boolean {
  const [bare = ''] = address.split('%', 1)
  const family = isIPv6(bare) ? 'ipv6' : 'ipv4'
  return isIP(bare) === 0 || closed[family].check(bare, family)
}
