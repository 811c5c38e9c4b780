/** The environment, read once, checked whole and frozen. The only file that reads it. */
import fs from 'node:fs'
import { parseAddress } from './lib/email-address.ts'

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
}

export interface Config {
  readonly host: string
  readonly port: number
  /** Origin only, without a slash at the end: every link and every origin check comes from it. */
  readonly baseUrl: string
  readonly trustProxy: readonly string[]
  readonly databaseUrl: string | undefined
  readonly dataDir: string
  /** 32 bytes; undefined: generated into the data folder. */
  readonly secretKey: Buffer | undefined
  /** undefined: mails are kept in the outbox. */
  readonly smtp: SmtpSettings | undefined
  readonly mailFrom: { readonly name: string; readonly address: string }
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

/**
 * Reads the settings of product.md §4. Every value may come from a file that `NAME_FILE` names.
 *
 * @throws ConfigProblems with every problem at once.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
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
  if (databaseUrl !== undefined && !isUrl(databaseUrl, ['postgres:', 'postgresql:'])) {
    complain('DATABASE_URL', 'must be a URL like postgres://user:password@host/database')
  }
  const secretKey = keyOf(read('SECRET_KEY'))
  if (secretKey === null)
    complain('SECRET_KEY', 'must be 32 bytes in base64, made for example with: openssl rand -base64 32')
  if (secretKey === undefined && databaseUrl)
    complain('SECRET_KEY', 'is required with DATABASE_URL: 32 bytes in base64')

  const smtp = smtpSettings(read('SMTP_URL'), baseUrl, what => complain('SMTP_URL', what))
  const mailFrom = mailboxOf(read('MAIL_FROM') ?? 'Rollcall <rollcall@localhost>')
  if (!mailFrom) complain('MAIL_FROM', 'must be an address like Rollcall <rollcall@example.org>')
  if (smtp && read('MAIL_FROM') === undefined) complain('MAIL_FROM', 'is required with SMTP_URL')

  const role = oneOf(read('ROLE') ?? 'all', ['all', 'web', 'worker'] as const)
  if (!role) complain('ROLE', 'must be web, worker or all')
  const logLevel = oneOf(read('LOG_LEVEL') ?? 'info', logLevels)
  if (!logLevel) complain('LOG_LEVEL', `must be one of ${logLevels.join(', ')}`)

  if (problems.length > 0) throw new ConfigProblems(problems)
  return Object.freeze({
    host: read('HOST') ?? '127.0.0.1',
    port: port!,
    baseUrl: baseUrl!,
    trustProxy,
    databaseUrl,
    dataDir: read('DATA_DIR') ?? './data',
    secretKey: secretKey ?? undefined,
    smtp,
    mailFrom: mailFrom!,
    role: role!,
    logLevel: logLevel!
  })
}

function reader(environment: NodeJS.ProcessEnv, problems: string[]) {
  return (name: string): string | undefined => {
    const plain = environment[name]?.trim() || undefined
    const file = environment[`${name}_FILE`]?.trim()
    if (!file) return plain
    if (plain !== undefined) {
      const problem = `${name}_FILE: ${name} is set too, keep one of them`
      if (!problems.includes(problem)) problems.push(problem)
      return plain
    }
    return contentOf(file, problem => {
      if (!problems.includes(`${name}_FILE: ${problem}`)) problems.push(`${name}_FILE: ${problem}`)
    })
  }
}

function contentOf(file: string, complain: (what: string) => void): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8').trim() || undefined
  } catch (error) {
    complain(`cannot be read (${(error as NodeJS.ErrnoException).code})`)
    return undefined
  }
}

const listOf = (text: string | undefined) =>
  text
    ?.split(',')
    .map(part => part.trim())
    .filter(Boolean) ?? []
const oneOf = <T extends string>(text: string, words: readonly T[]) => words.find(word => word === text)
const isRange = (text: string) => /^[0-9a-f.:]{2,45}(\/\d{1,3})?$/i.test(text) || text === 'loopback'

function wholeNumber(text: string, from: number, to: number): number | undefined {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return number >= from && number <= to ? number : undefined
}

function isUrl(text: string, protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol)
}

function originOf(text: string): string | undefined {
  if (!isUrl(text, ['http:', 'https:'])) return undefined
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

function smtpSettings(text: string | undefined, baseUrl: string | undefined, complain: (what: string) => void) {
  if (text === undefined) return undefined
  if (!isUrl(text, ['smtp:', 'smtps:'])) {
    complain('must be a URL like smtp://user:password@mail.example.org:587')
    return undefined
  }
  const url = new URL(text)
  const connections = wholeNumber(url.searchParams.get('connections') ?? '10', 1, 50)
  if (connections === undefined) complain('connections must be a whole number from 1 to 50')
  const startTls = url.searchParams.get('starttls')
  if (startTls !== null && startTls !== 'optional') complain('starttls can only be "optional"')
  const unknown = [...url.searchParams.keys()].filter(name => name !== 'connections' && name !== 'starttls')
  if (unknown.length > 0) complain(`has an unknown parameter ${unknown.join(', ')}`)
  if (!url.hostname) complain('names no host')
  if (Boolean(url.username) !== Boolean(url.password)) complain('has a user without a password or the other way round')
  return smtpFrom(url, connections ?? 10, startTls === 'optional', baseUrl)
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
    name: baseUrl ? new URL(baseUrl).hostname : 'localhost'
  }
}

/** Is this host the machine itself? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
