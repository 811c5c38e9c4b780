import net from 'node:net'
import { cutText } from '../../lib/text/cut.ts'
import { DirectoryProblem } from '../directory.ts'

export interface LdapUrl {
  host: string
  port: number
  isLdaps: boolean
  isLoopback: boolean
}

/** Reads `ldap://host[:port]` or `ldaps://host[:port]`; refuses anything more. */
export function parseLdapUrl(url: string): LdapUrl {
  const parsed = URL.parse(url)
  const isLdaps = parsed?.protocol === 'ldaps:'
  if (!parsed || !(isLdaps || parsed.protocol === 'ldap:') || !parsed.hostname) throw unreadable(url)
  if (parsed.username || parsed.password || parsed.search || parsed.hash || !/^\/?$/.test(parsed.pathname))
    throw unreadable(url)
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return { host, port: Number(parsed.port) || (isLdaps ? 636 : 389), isLdaps, isLoopback: isLoopback(host) }
}

const unreadable = (url: string) =>
  new DirectoryProblem(
    `“${cutText(url, 200)}” is not a directory’s address`,
    'Enter it like ldaps://ldap.example.com or ldap://ldap.example.com:389'
  )

const loopback = new net.BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const family = net.isIP(host)
  return family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
