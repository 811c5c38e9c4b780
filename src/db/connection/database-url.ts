/** DATABASE_URL as libpq reads it (PostgreSQL manual, "Connection URIs"), as far as Rollcall supports it. */
import os from 'node:os'
import { type Certificates, readCertificates, readPassword } from './database-files.ts'
import { sessionSettings } from './session-settings.ts'

export const tlsModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type TlsMode = (typeof tlsModes)[number]

export interface Host {
  /** A name, an address, or the folder of a unix socket, which begins with a slash. */
  name: string
  port: number
}

export interface DatabaseAddress {
  hosts: Host[]
  user: string
  password: string
  database: string
  tls: Certificates & { mode: TlsMode }
  /** The first server that answers, or one that takes writes. */
  target: 'any' | 'read-write' | 'primary'
  applicationName: string
  connectSeconds: number
  /** Options for the server process, such as `-c search_path=app`. */
  options: string | undefined
  prepare: boolean
  maxPipeline: number
}

export class DatabaseUrlProblems extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

const form = 'must be a URL like postgres://user:password@host:5432/database'
const encoding = 'write @ as %40, / as %2F, # as %23, ? as %3F and % as %25 in a user or a password'
const known = [
  ...['host', 'port', 'user', 'password', 'dbname', 'passfile'],
  ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'channel_binding'],
  ...['target_session_attrs', 'connect_timeout', 'application_name', 'options', 'prepare', 'max_pipeline']
]

/** Parses a URL and reads the files that it names. @throws DatabaseUrlProblems with all problems at once. */
export function readDatabaseUrl(text: string): DatabaseAddress {
  const problems: string[] = []
  const complain = (what: string) => void problems.push(what)
  const parts = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/s.exec(text)
  if (!parts) throw new DatabaseUrlProblems([text.includes('#') ? `holds a #: ${encoding}` : form])
  const [, credentials = '', authority = '', path = '', query = ''] = parts
  if (/[@/]/.test(path)) complain(`has @ or / after the host: ${encoding}`)
  const values = parametersOf(query, complain)
  const decode = (part: string) => decoded(part, complain)
  const [rawUser = '', ...rawPassword] = credentials.split(':')
  const user = values.get('user') ?? (decode(rawUser) || os.userInfo().username)
  const hosts = hostsOf(authority, values, complain)
  const database = values.get('dbname') ?? (decode(path) || user)
  const mode = modeOf(values.get('sslmode'), hosts, complain)
  const certificates = readCertificates(values, mode, complain)
  const address: DatabaseAddress = {
    hosts,
    user,
    database,
    password: values.get('password') ?? decode(rawPassword.join(':')),
    tls: { mode, ...certificates },
    target: targetOf(values.get('target_session_attrs'), hosts.length, complain),
    applicationName: values.get('application_name') ?? 'rollcall',
    connectSeconds: numberOf(values, 'connect_timeout', { from: 1, to: 60, otherwise: 10 }, complain),
    options: values.get('options'),
    prepare: switchOf(values, 'prepare', complain),
    maxPipeline: numberOf(values, 'max_pipeline', { from: 0, to: 1000, otherwise: 100 }, complain)
  }
  const passfile = values.get('passfile')
  if (passfile !== undefined && address.password === '') address.password = readPassword(passfile, address, complain)
  if (/\0/.test(Object.values(address).join())) complain('holds a character 0 (%00)')
  if (problems.length > 0) throw new DatabaseUrlProblems(problems)
  return address
}

type Complain = (what: string) => void
type Values = ReadonlyMap<string, string>

function parametersOf(query: string, complain: Complain): Values {
  const values = new Map<string, string>()
  for (const pair of query.split('&').filter(Boolean)) {
    const at = pair.indexOf('=')
    const name = decoded(at < 0 ? pair : pair.slice(0, at), complain)
    if (!known.includes(name)) complain(hintFor(name))
    if (values.has(name)) complain(`names ${name} twice`)
    if (at < 0) complain(`names ${name} without a value: write ${name}=…`)
    else values.set(name, decoded(pair.slice(at + 1), complain))
  }
  return new Map([...values].filter(([, value]) => value !== ''))
}

function hintFor(name: string): string {
  if (Object.keys(sessionSettings).some(each => each.toLowerCase() === name.toLowerCase()))
    return `sets "${name}", which Rollcall sets itself: remove it`
  if (name === 'ssl') return 'has an unknown parameter "ssl": write sslmode=require or sslmode=verify-full'
  if (name === 'schema') return 'has an unknown parameter "schema": write options=-csearch_path%3Dname'
  if (/^[a-z_.]+$/.test(name) && !/^(ssl|gss|krb|keepalives|pgbouncer|pool|timeout|max)/.test(name))
    return `has an unknown parameter "${name}": for a setting of the server write options=-c${name}%3Dvalue`
  return `has an unknown parameter "${name}": remove it. Known parameters are ${known.join(', ')}`
}

/** Plus signs stay: libpq decodes only %XX. */
function decoded(text: string, complain: Complain): string {
  try {
    return decodeURIComponent(text)
  } catch {
    complain(`has a % that is not followed by two hexadecimal digits of UTF-8: ${encoding}`)
    return text
  }
}

function hostsOf(authority: string, values: Values, complain: Complain): Host[] {
  const named = authority.split(',').map(each => /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(each))
  const ports = values.get('port')?.split(',') ?? []
  const written = named.map(found => decoded(found?.[1] ?? '', complain).replace(/^\[(.*)\]$/, '$1'))
  const names = values.get('host')?.split(',') ?? written
  if (ports.length > 1 && ports.length !== names.length)
    complain(`has ${names.length} hosts and ${ports.length} ports: give one port, or one for each host`)
  return names.map((name, index) => {
    const port = ports[index] ?? ports[0] ?? named[Math.min(index, named.length - 1)]?.[2]
    const isTaken =
      named.every(Boolean) && (!port || (/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536))
    if (!isTaken) complain(`has a port that is not a number from 1 to 65535: ${encoding}`)
    if (/[\s\\]/.test(name)) complain(`names a host with a space or a backslash: ${form}`)
    return { name: name || 'localhost', port: Number(port || 5432) }
  })
}

/** The default is no TLS on this machine, and TLS elsewhere if the server offers it. */
function modeOf(text: string | undefined, hosts: Host[], complain: Complain): TlsMode {
  const isHere = hosts.every(({ name }) => name.startsWith('/') || /^(localhost|127(\.\d+){3}|::1)$/.test(name))
  const found = tlsModes.find(mode => mode === (text ?? (isHere ? 'disable' : 'prefer')))
  if (!found) {
    const instead = { allow: 'prefer', 'no-verify': 'require' }[text ?? '']
    complain(`has an unknown sslmode "${text}": write ${instead ?? tlsModes.join(', ')}`)
  }
  return found ?? 'verify-full'
}

function targetOf(text: string | undefined, hosts: number, complain: Complain): DatabaseAddress['target'] {
  const target = (['any', 'read-write', 'primary'] as const).find(each => each === text)
  if (text !== undefined && !target)
    complain(`has target_session_attrs=${text}: Rollcall writes, so it can only be read-write, primary or any`)
  return target ?? (hosts > 1 ? 'read-write' : 'any')
}

interface Range {
  from: number
  to: number
  otherwise: number
}

function numberOf(values: Values, name: string, { from, to, otherwise }: Range, complain: Complain): number {
  const text = values.get(name)
  if (text === undefined) return otherwise
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= from && number <= to))
    complain(`has ${name}=${text}: it must be a whole number from ${from} to ${to}`)
  return number
}

function switchOf(values: Values, name: string, complain: Complain): boolean {
  const text = values.get(name) ?? 'true'
  if (text !== 'true' && text !== 'false') complain(`has ${name}=${text}: it can only be true or false`)
  return text === 'true'
}
