/** The client's address: a proxy's header counts only if the proxy is trusted and sends a valid address. */
import { BlockList, isIPv4 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { plainAddress } from '../lib/network.ts'

/** More proxies than any setup has in a row; each one costs time. */
const maxProxies = 20

/** Fastify's `trustProxy` for TRUST_PROXY: whether this hop, counted from the connection on, is our proxy. */
export function trustOf(ranges: readonly string[]): false | ((address: string, hop: number) => boolean) {
  if (ranges.length === 0) return false
  const ours = new BlockList()
  for (const range of ranges.flatMap(each => (each === 'loopback' ? ['127.0.0.0/8', '::1'] : [each]))) {
    const [address = '', bits] = range.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    ours.addSubnet(address, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family)
  }
  return (text, hop) => {
    const address = hop < maxProxies ? plainAddress(text) : undefined
    if (address === undefined) return false
    if (!isIPv4(address)) return ours.check(address, 'ipv6')
    return ours.check(address, 'ipv4') || ours.check(`::ffff:${address}`, 'ipv6')
  }
}

/** In one spelling; the proxy's own address if it forwards something else; `unknown` after a disconnect. */
export function clientAddress(request: FastifyRequest): string {
  return plainAddress(request.ip ?? '') ?? plainAddress(request.socket?.remoteAddress ?? '') ?? 'unknown'
}
