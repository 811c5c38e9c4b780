/** The environment, read once, checked whole and frozen. The only file that reads it. */
import { isIP } from 'node:net'
import { DatabaseUrlProblems, readDatabaseUrl } from '../db/connection/database-url.ts'
import { fewestConnections } from '../db/connection/shares.ts'
import { droppedFrom } from '../lib/setting-url.ts'
import { type CheckLdap, type LdapEnvironment, ldapEnvironment } from './ldap.ts'
import { type OidcEnvironment, oidcEnvironment } from './oidc.ts'
import { mailboxOf, type SmtpSettings, smtpOauth, smtpSettings } from './smtp.ts'
import { type Complain, isUrl, listOf, oneOf, type Read, reader, wholeNumber } from './values.ts'

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
  /** Links and secrets made with a former key still work. */
  readonly formerKeys: readonly Buffer[]
  /** undefined: emails are kept in the outbox. */
  readonly smtp: SmtpSettings | undefined
  readonly mailFrom: { readonly name: string; readonly address: string }
  readonly ldap: LdapEnvironment
  /** Sign-in with the directory's password is on, whatever the console says. */
  readonly ldapSignIn: boolean
  /** The organization's provider, when the environment says it. */
  readonly oidc: OidcEnvironment | undefined
  readonly role: 'web' | 'worker' | 'all'
  readonly logLevel: string
}

/** One line for each problem: `NAME: what is wrong`. */
export class ConfigProblems extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** Reads every setting (docs/requirements.md, Settings). @throws ConfigProblems with every problem at once. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env, checkLdap: CheckLdap = () => []): Config {
  const problems: string[] = []
  const read = reader(environment, problems)
  const complain: Complain = (name, what) => void problems.push(`${name}: ${what}`)

  const web = webSettings(read, complain)
  const keys = secretKeys(read, complain)
  const mail = mailSettings(read, web.baseUrl, complain)
  const ldap = ldapEnvironment(read, complain)
  for (const [name, what] of checkLdap(ldap)) complain(name, what)
  const ldapSignIn = oneOf(read('LDAP_SIGN_IN') ?? 'off', ['on', 'off'] as const)
  if (!ldapSignIn) complain('LDAP_SIGN_IN', 'must be on or off')
  const oidc = oidcEnvironment(read, complain)
  const running = processSettings(read, complain)

  if (problems.length > 0) throw new ConfigProblems(problems)
  return Object.freeze({
    ...web,
    ...keys,
    ...mail,
    ...running,
    ldap,
    ldapSignIn: ldapSignIn === 'on',
    oidc
  })
}

/** Placeholder for a refused setting: `readConfig` throws before it is used. */
const refused = undefined as never

function webSettings(read: Read, complain: Complain) {
  const port = wholeNumber(read('PORT') ?? '3000', 1, 65_535)
  if (port === undefined) complain('PORT', 'must be a whole number from 1 to 65535')
  const baseUrl = originOf(read('BASE_URL') ?? `http://localhost:${port ?? 3000}`)
  if (!baseUrl) complain('BASE_URL', 'must be http:// or https:// with a host and nothing after it')
  const trustProxy = listOf(read('TRUST_PROXY'))
  for (const range of trustProxy)
    if (!isRange(range)) complain('TRUST_PROXY', `"${range}" is not an address or a CIDR range`)
  return { host: read('HOST') ?? '127.0.0.1', port: port ?? refused, baseUrl: baseUrl ?? refused, trustProxy }
}

function secretKeys(read: Read, complain: Complain) {
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
  return {
    databaseUrl,
    secretKey: secretKey ?? undefined,
    formerKeys: Object.freeze(formerKeys.filter(Buffer.isBuffer))
  }
}

function mailSettings(read: Read, baseUrl: string | undefined, complain: Complain) {
  const oauth = smtpOauth(read, complain)
  const smtp = smtpSettings(read('SMTP_URL'), baseUrl, oauth, what => complain('SMTP_URL', what))
  const mailFrom = mailboxOf(read('MAIL_FROM') ?? 'Rollcall <rollcall@localhost>')
  if (!mailFrom) complain('MAIL_FROM', 'must be an address like Rollcall <rollcall@example.org>')
  if (smtp && read('MAIL_FROM') === undefined) complain('MAIL_FROM', 'is required with SMTP_URL')
  return { smtp, mailFrom: mailFrom ?? refused }
}

function processSettings(read: Read, complain: Complain) {
  const role = oneOf(read('ROLE') ?? 'all', ['all', 'web', 'worker'] as const)
  if (!role) complain('ROLE', 'must be web, worker or all')
  const fewest = fewestConnections(role ?? 'all')
  const pool = read('DATABASE_POOL')
  const databasePool = pool === undefined ? undefined : wholeNumber(pool, fewest, 500)
  if (pool !== undefined && databasePool === undefined)
    complain('DATABASE_POOL', `must be a whole number from ${fewest} to 500: connections to the database in all`)
  const logLevel = oneOf(read('LOG_LEVEL') ?? 'info', logLevels)
  if (!logLevel) complain('LOG_LEVEL', `must be one of ${logLevels.join(', ')}`)
  return { databasePool, dataDir: read('DATA_DIR') ?? './data', role: role ?? refused, logLevel: logLevel ?? refused }
}

function isRange(text: string): boolean {
  const [, address, bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? []
  const version = isIP(address ?? '')
  const longest = version === 4 ? 32 : version === 6 ? 128 : -1
  return text === 'loopback' || (longest > 0 && (bits === undefined || (Number(bits) > 0 && Number(bits) <= longest)))
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

function originOf(text: string): string | undefined {
  if (droppedFrom(text) || !isUrl(text, ['http:', 'https:'])) return undefined
  const url = new URL(text)
  const isBare = url.pathname === '/' && !url.search && !url.hash && !url.username && !url.password
  return isBare ? url.origin : undefined
}

function keyOf(text: string | undefined): Buffer | null | undefined {
  if (text === undefined) return undefined
  const key = Buffer.from(text, 'base64')
  return key.length === 32 && /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? key : null
}

export function keysOf({
  config,
  secretKey
}: {
  config: Pick<Config, 'formerKeys'>
  secretKey: Buffer
}): [Buffer, ...Buffer[]] {
  return [secretKey, ...config.formerKeys]
}
