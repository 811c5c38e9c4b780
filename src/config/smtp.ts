import { isIP } from 'node:net'
import { parseAddress } from '../lib/addresses/email-address.ts'
import { droppedFrom } from '../lib/setting-url.ts'
import { type Complain, isLoopback, isUrl, type Read, wholeNumber } from './values.ts'

export interface SmtpSettings {
  host: string
  port: number
  /** TLS from the first byte (`smtps://`). */
  secure: boolean
  requireTls: boolean
  user?: string
  password?: string
  /** 1 to 50. */
  connections: number
  /** The name sent in EHLO. */
  name: string
  oauth?: SmtpOauth
}

export interface SmtpOauth {
  tokenUrl: string
  clientId: string
  clientSecret?: string
  scope?: string
  /** Without one, the client's own credentials are used (RFC 6749 §4.4). */
  refreshToken?: string
}

export function mailboxOf(text: string): { name: string; address: string } | undefined {
  const parts = /^([^<>]{0,200})<([^<>]{3,254})>$/.exec(text)
  const parsed = parseAddress((parts?.[2] ?? text).trim())
  if ('fault' in parsed) return undefined
  const name = (parts?.[1] ?? '').trim().replace(/^"(.*)"$/, '$1')
  return /\p{Cc}/u.test(name) ? undefined : { name, address: parsed.address }
}

export function smtpOauth(read: Read, complain: Complain): SmtpOauth | undefined {
  const names = ['TOKEN_URL', 'CLIENT_ID', 'CLIENT_SECRET', 'SCOPE', 'REFRESH_TOKEN'] as const
  const given = Object.fromEntries(names.map(name => [name, read(`SMTP_OAUTH_${name}`)]))
  const isGiven = names.some(name => given[name] !== undefined)
  if (!isGiven) return undefined
  const { TOKEN_URL: tokenUrl, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, SCOPE: scope } = given
  if (read('SMTP_URL') === undefined) complain('SMTP_URL', 'is required with SMTP_OAUTH_…')
  for (const name of ['TOKEN_URL', 'CLIENT_ID'] as const)
    if (given[name] === undefined) complain(`SMTP_OAUTH_${name}`, 'is required with the other SMTP_OAUTH_… settings')
  if (tokenUrl !== undefined && !isTokenUrl(tokenUrl))
    complain('SMTP_OAUTH_TOKEN_URL', 'must be an https:// URL (http:// on this machine only)')
  if (!clientSecret && !given.REFRESH_TOKEN)
    complain('SMTP_OAUTH_CLIENT_SECRET', 'is required without SMTP_OAUTH_REFRESH_TOKEN')
  return {
    tokenUrl: tokenUrl ?? '',
    clientId: clientId ?? '',
    ...(clientSecret ? { clientSecret } : {}),
    ...(scope ? { scope } : {}),
    ...(given.REFRESH_TOKEN ? { refreshToken: given.REFRESH_TOKEN } : {})
  }
}

function isTokenUrl(text: string): boolean {
  if (!isUrl(text, ['https:', 'http:'])) return false
  const { protocol, hostname, username, password } = new URL(text)
  return (protocol === 'https:' || isLoopback(hostname)) && !username && !password
}

export function smtpSettings(
  text: string | undefined,
  baseUrl: string | undefined,
  oauth: SmtpOauth | undefined,
  complain: (what: string) => void
) {
  if (text === undefined) return undefined
  const dropped = droppedFrom(text)
  if (dropped || !isUrl(text, ['smtp:', 'smtps:'])) {
    complain(dropped ?? 'must be a URL like smtp://user:password@mail.example.org:587')
    return undefined
  }
  const url = new URL(text)
  const connections = wholeNumber(url.searchParams.get('connections') ?? '10', 1, 50)
  if (connections === undefined) complain('connections must be a whole number from 1 to 50')
  const startTls = url.searchParams.get('starttls')
  if (startTls !== null && startTls !== 'optional') complain('starttls can only be "optional"')
  if (startTls !== null && url.protocol === 'smtps:') complain('starttls is for smtp:// only, not for smtps://')
  const names = [...url.searchParams.keys()]
  const unknown = names.filter(name => name !== 'connections' && name !== 'starttls')
  if (unknown.length > 0) complain(`has an unknown parameter ${unknown.join(', ')}`)
  const repeated = names.filter((name, index) => names.indexOf(name) < index)
  if (repeated.length > 0) complain(`has ${repeated[0]} twice`)
  if (!url.hostname) complain('names no host')
  if (oauth && (!url.username || url.password))
    complain('must name a user and no password with SMTP_OAUTH_…: smtp://user@host:587')
  if (!oauth && Boolean(url.username) !== Boolean(url.password))
    complain('has a user without a password or the other way round')
  if (oauth && startTls === 'optional') complain('starttls cannot be optional with SMTP_OAUTH_…')
  if (!isDecodable(url.username + url.password)) {
    complain('has a user or a password with a % that is not followed by two hexadecimal digits: write %25 for it')
    return undefined
  }
  const settings = smtpFrom(url, connections ?? 10, startTls === 'optional', baseUrl)
  return oauth ? { ...settings, oauth } : settings
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined
  } catch {
    return false
  }
}

function smtpFrom(url: URL, connections: number, isTlsOptional: boolean, baseUrl: string | undefined): SmtpSettings {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const secure = url.protocol === 'smtps:'
  const user = url.username ? decodeURIComponent(url.username) : undefined
  return {
    host,
    port: url.port ? Number(url.port) : secure ? 465 : user ? 587 : 25,
    secure,
    requireTls: !secure && !isTlsOptional && !isLoopback(host),
    ...(user ? { user, password: decodeURIComponent(url.password) } : {}),
    connections,
    name: ehloName(baseUrl ? new URL(baseUrl).hostname : 'localhost')
  }
}

/** RFC 5321 §4.1.3: a full name, or an address in brackets. */
function ehloName(host: string): string {
  if (isIP(host) === 4) return `[${host}]`
  if (host.startsWith('[')) return `[IPv6:${host.slice(1)}`
  return host.includes('.') ? host : '[127.0.0.1]'
}
