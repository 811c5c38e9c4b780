/** The environment, read once, checked whole and frozen. The only file that reads it. */
import fs from 'node:fs'
import { isIP } from 'node:net'
import { DatabaseUrlProblems, readDatabaseUrl } from '../db/connection/database-url.ts'
import { fewestConnections } from '../db/connection/shares.ts'
import { parseAddress } from '../lib/addresses/email-address.ts'
import { droppedFrom } from '../lib/setting-url.ts'

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
  /** What we call ourselves in EHLO. */
  name: string
  /** Signs in with a token instead of a password (XOAUTH2). */
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

/** What the environment says of the directory; undefined: the console says it. */
export interface LdapEnvironment {
  readonly url?: string
  readonly startTls?: boolean
  /** The certificates of LDAP_CA_FILE. */
  readonly ca?: string
  readonly bindDn?: string
  readonly bindPassword?: string
  readonly baseDn?: string
  readonly peopleFilter?: string
  readonly groupFilter?: string
}

export interface Config {
  readonly host: string
  readonly port: number
  /** Origin only, without a slash at the end: every link and every origin check comes from it. */
  readonly baseUrl: string
  readonly trustProxy: readonly string[]
  readonly databaseUrl: string | undefined
  /** Connections of this process in all; undefined: as many as its role usually has. */
  readonly databasePool: number | undefined
  readonly dataDir: string
  /** 32 bytes; undefined: generated into the data folder. */
  readonly secretKey: Buffer | undefined
  /** Names of settings that somebody has set and nothing here reads. */
  readonly unused: readonly string[]
  /** Keys that were in force before: what was made with one of them goes on working. */
  readonly formerKeys: readonly Buffer[]
  /** undefined: mails are kept in the outbox. */
  readonly smtp: SmtpSettings | undefined
  readonly mailFrom: { readonly name: string; readonly address: string }
  readonly ldap: LdapEnvironment
  /** Sign-in with the directory's password. */
  readonly ldapSignIn: boolean
  readonly role: 'web' | 'worker' | 'all'
  readonly logLevel: string
}

/** One line for each thing that is wrong: `NAME: what is wrong`. */
export class ConfigProblems extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** What only the directory's part can tell about `LDAP_*`: a setting's name and what is wrong with it. */
export type CheckLdap = (ldap: LdapEnvironment) => readonly (readonly [name: string, what: string])[]

/**
 * Reads the settings of product.md §4. Every value may come from a file that `NAME_FILE` names.
 *
 * @throws ConfigProblems with every problem at once.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env, checkLdap: CheckLdap = () => []): Config {
  const problems: string[] = []
  const read = reader(environment, problems)
  const complain = (name: string, what: string) => void problems.push(`${name}: ${what}`)

  const port = wholeNumber(read('PORT') ?? '3000', 1, 65_535)
  if (port === undefined) complain('PORT', 'must be a whole number from 1 to 65535')
  const baseUrl = originOf(read('BASE_URL') ?? `http://localhost:${port ?? 3000}`)
  if (!baseUrl) complain('BASE_URL', 'must be http:// or https:// with a host and nothing after it')
  const trustProxy = listOf(read('TRUST_PROXY'))
  for (const range of trustProxy)
    if (!isRange(range)) complain('TRUST_PROXY', `"${range}" is not an address or a CIDR range`)

  const databaseUrl = read('DATABASE_URL')
  for (const problem of problemsOfDatabaseUrl(databaseUrl)) complain('DATABASE_URL', problem)
  const secretKey = keyOf(read('SECRET_KEY'))
  if (secretKey === null)
    complain('SECRET_KEY', 'must be 32 bytes in base64, made for example with: openssl rand -base64 32')
  if (secretKey === undefined && databaseUrl)
    complain('SECRET_KEY', 'is required with DATABASE_URL: 32 bytes in base64')

  const formerKeys = (read('SECRET_KEY_FORMER') ?? '')
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(keyOf)
  if (!formerKeys.every(Buffer.isBuffer))
    complain('SECRET_KEY_FORMER', 'must be keys like SECRET_KEY, with commas between them')

  const oauth = smtpOauth(read, complain)
  const smtp = smtpSettings(read('SMTP_URL'), baseUrl, oauth, what => complain('SMTP_URL', what))
  const mailFrom = mailboxOf(read('MAIL_FROM') ?? 'Rollcall <rollcall@localhost>')
  if (!mailFrom) complain('MAIL_FROM', 'must be an address like Rollcall <rollcall@example.org>')
  if (smtp && read('MAIL_FROM') === undefined) complain('MAIL_FROM', 'is required with SMTP_URL')

  const ldap = ldapEnvironment(read, complain)
  for (const [name, what] of checkLdap(ldap)) complain(name, what)
  const ldapSignIn = oneOf(read('LDAP_SIGN_IN') ?? 'off', ['on', 'off'] as const)
  if (!ldapSignIn) complain('LDAP_SIGN_IN', 'must be on or off')

  const unused = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'].filter(name => read(name) !== undefined)

  const role = oneOf(read('ROLE') ?? 'all', ['all', 'web', 'worker'] as const)
  if (!role) complain('ROLE', 'must be web, worker or all')
  const fewest = fewestConnections(role ?? 'all')
  const pool = read('DATABASE_POOL')
  const databasePool = pool === undefined ? undefined : wholeNumber(pool, fewest, 500)
  if (pool !== undefined && databasePool === undefined)
    complain('DATABASE_POOL', `must be a whole number from ${fewest} to 500: connections to the database in all`)
  const logLevel = oneOf(read('LOG_LEVEL') ?? 'info', logLevels)
  if (!logLevel) complain('LOG_LEVEL', `must be one of ${logLevels.join(', ')}`)

  if (problems.length > 0) throw new ConfigProblems(problems)
  return Object.freeze({
    host: read('HOST') ?? '127.0.0.1',
    port: port!,
    baseUrl: baseUrl!,
    trustProxy,
    databaseUrl,
    databasePool,
    dataDir: read('DATA_DIR') ?? './data',
    secretKey: secretKey ?? undefined,
    formerKeys: Object.freeze(formerKeys.filter(Buffer.isBuffer)),
    smtp,
    mailFrom: mailFrom!,
    ldap,
    ldapSignIn: ldapSignIn === 'on',
    unused: Object.freeze(unused),
    role: role!,
    logLevel: logLevel!
  })
}

/** Settings that are taken as they are. */
const secrets = new Set(['LDAP_BIND_PASSWORD'])

function reader(environment: NodeJS.ProcessEnv, problems: string[]) {
  return (name: string): string | undefined => {
    const isSecret = secrets.has(name)
    const plain = (isSecret ? environment[name] : environment[name]?.trim()) || undefined
    const file = environment[`${name}_FILE`]?.trim()
    if (!file) return plain
    if (plain !== undefined) {
      const problem = `${name}_FILE: ${name} is set too, keep one of them`
      if (!problems.includes(problem)) problems.push(problem)
      return plain
    }
    const complain = (problem: string) => {
      if (!problems.includes(`${name}_FILE: ${problem}`)) problems.push(`${name}_FILE: ${problem}`)
    }
    return isSecret ? secretOf(file, complain) : contentOf(file, complain)?.trim() || undefined
  }
}

function contentOf(file: string, complain: (what: string) => void): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    complain(`cannot be read (${(error as NodeJS.ErrnoException).code})`)
    return undefined
  }
}

/** A password may begin or end with a blank: only the newline that editors put at the end of a file is none of it. */
const secretOf = (file: string, complain: (what: string) => void) =>
  contentOf(file, complain)?.replace(/\r?\n$/, '') || undefined

const listOf = (text: string | undefined) =>
  text
    ?.split(',')
    .map(part => part.trim())
    .filter(Boolean) ?? []
const oneOf = <T extends string>(text: string, words: readonly T[]) => words.find(word => word === text)

function isRange(text: string): boolean {
  const [, address, bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? []
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address ?? '')]!
  return text === 'loopback' || (longest > 0 && (bits === undefined || (Number(bits) > 0 && Number(bits) <= longest)))
}

function wholeNumber(text: string, from: number, to: number): number | undefined {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return number >= from && number <= to ? number : undefined
}

function problemsOfDatabaseUrl(text: string | undefined): readonly string[] {
  try {
    if (text !== undefined) readDatabaseUrl(text)
    return []
  } catch (error) {
    if (error instanceof DatabaseUrlProblems) return error.problems
    throw error
  }
}

function isUrl(text: string, protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol)
}

function originOf(text: string): string | undefined {
  if (droppedFrom(text) || !isUrl(text, ['http:', 'https:'])) return undefined
  const url = new URL(text)
  const isBare = url.pathname === '/' && !url.search && !url.hash && !url.username && !url.password
  return isBare ? url.origin : undefined
}

/** undefined: not given; null: not 32 bytes. */
function keyOf(text: string | undefined): Buffer | null | undefined {
  if (text === undefined) return undefined
  const key = Buffer.from(text, 'base64')
  return key.length === 32 && /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? key : null
}

function mailboxOf(text: string): { name: string; address: string } | undefined {
  const parts = /^([^<>]{0,200})<([^<>]{3,254})>$/.exec(text)
  const parsed = parseAddress((parts?.[2] ?? text).trim())
  if ('fault' in parsed) return undefined
  const name = (parts?.[1] ?? '').trim().replace(/^"(.*)"$/, '$1')
  return /\p{Cc}/u.test(name) ? undefined : { name, address: parsed.address }
}

/** All of `SMTP_OAUTH_…` or nothing of it. */
function smtpOauth(read: (name: string) => string | undefined, complain: Complain): SmtpOauth | undefined {
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

function smtpSettings(
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

type Complain = (name: string, what: string) => void

function ldapEnvironment(read: (name: string) => string | undefined, complain: Complain): LdapEnvironment {
  const url = read('LDAP_URL')
  const problem = url === undefined ? undefined : directoryUrlProblem(url)
  if (problem) complain('LDAP_URL', problem)
  const startTls = oneOf(read('LDAP_STARTTLS') ?? '', ['', 'on', 'off'] as const)
  if (startTls === undefined) complain('LDAP_STARTTLS', 'must be on or off')
  if (startTls === 'on' && url?.startsWith('ldaps:')) complain('LDAP_STARTTLS', 'is for ldap:// only, not for ldaps://')
  const caFile = read('LDAP_CA_FILE')
  const ca = caFile && contentOf(caFile, what => complain('LDAP_CA_FILE', what))?.trim()
  if (ca && !ca.includes('-----BEGIN CERTIFICATE-----')) complain('LDAP_CA_FILE', 'holds no certificate in PEM form')
  // a password of the environment goes to a server of the environment, and to no other (S13)
  for (const name of ['LDAP_BIND_PASSWORD', 'LDAP_STARTTLS', 'LDAP_CA_FILE'])
    if (read(name) !== undefined && url === undefined) complain(name, 'needs LDAP_URL beside it')
  const given = {
    ...{ url, ca, bindDn: read('LDAP_BIND_DN'), bindPassword: read('LDAP_BIND_PASSWORD') },
    startTls: url === undefined ? undefined : startTls ? startTls === 'on' : needsStartTls(url),
    ...{ baseDn: read('LDAP_BASE_DN'), peopleFilter: read('LDAP_PEOPLE_FILTER') },
    groupFilter: read('LDAP_GROUP_FILTER')
  }
  return Object.freeze(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)))
}

function directoryUrlProblem(text: string): string | undefined {
  const { username, password, pathname, search, hostname } = URL.canParse(text) ? new URL(text) : new URL('ldap://')
  if (username || password) return 'has a user or a password: set LDAP_BIND_DN and LDAP_BIND_PASSWORD instead'
  if (pathname.length > 1 || search) return 'has something after the host: set LDAP_BASE_DN to the base instead'
  if (!hostname || !isUrl(text, ['ldap:', 'ldaps:']))
    return 'must be a URL like ldaps://ldap.example.org or ldap://ldap.example.org:389'
  return droppedFrom(text)
}

/** The key in force, and then those that were in force before. */
export function keysOf({
  config,
  secretKey
}: {
  config: Pick<Config, 'formerKeys'>
  secretKey: Buffer
}): [Buffer, ...Buffer[]] {
  return [secretKey, ...config.formerKeys]
}

/** Clear text stays on the machine unless somebody says otherwise. */
export function needsStartTls(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'ldap:' && !isLoopback(new URL(url).hostname)
}

/** Can people sign in with what their organization gave them? Only then groups are kept synced. */
export function organizationSignInOn({ ldapSignIn }: Pick<Config, 'ldapSignIn'>): boolean {
  return ldapSignIn
}

/** Is this host the machine itself? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
