import fs from 'node:fs'
import tls from 'node:tls'
import { first } from '../../lib/ends.ts'
import { codeOf } from '../../lib/errors.ts'

export interface Certificates {
  /** Authorities to trust; undefined: Node's own. */
  ca?: string | string[]
  cert?: string
  key?: string
}

interface Login {
  hosts: readonly { name: string; port: number }[]
  user: string
  database: string
}

type Complain = (what: string) => void
type Values = ReadonlyMap<string, string>

export function readCertificates(values: Values, mode: string, complain: Complain): Certificates {
  const root = values.get('sslrootcert')
  if (root === undefined && mode === 'verify-ca')
    complain('has sslmode=verify-ca without sslrootcert: name the file of your authority, or write sslmode=verify-full')
  if (root !== undefined && !mode.startsWith('verify'))
    complain(`has sslrootcert, which sslmode=${mode} does not look at: write sslmode=verify-full`)
  if (root === 'system' && mode === 'verify-ca')
    complain(
      'has sslrootcert=system with sslmode=verify-ca, which any public certificate would pass: write sslmode=verify-full'
    )
  if (values.has('sslcert') !== values.has('sslkey')) complain('has one of sslcert and sslkey without the other')
  if (values.has('sslcert') && mode === 'disable') complain('has sslcert with sslmode=disable: write sslmode=require')
  if (values.get('channel_binding') === 'require')
    complain('has channel_binding=require, which Rollcall cannot do: remove it, and write sslmode=verify-full')
  else if (!['prefer', 'disable', undefined].includes(values.get('channel_binding')))
    complain('has an unknown channel_binding: remove it')
  const pem = (name: string) => {
    const file = values.get(name)
    return file === undefined ? undefined : pemOf(name, file, complain)
  }
  const ca = root === 'system' ? tls.getCACertificates('system') : pem('sslrootcert')
  const [cert, key] = [pem('sslcert'), pem('sslkey')]
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
}

function pemOf(name: string, file: string, complain: Complain): string | undefined {
  const text = contentOf(name, file, complain)
  if (text !== undefined && !text.includes('-----BEGIN ')) complain(`has ${name}=${file}, which is not in PEM format`)
  return text
}

function contentOf(name: string, file: string, complain: Complain): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    complain(`has ${name}=${file}, which cannot be read (${codeOf(error)})`)
    return undefined
  }
}

/** The password of the first matching line: `host:port:database:user:password`, `*` matches all, `\` escapes. */
export function readPassword(file: string, { hosts, user, database }: Login, complain: Complain): string {
  const text = contentOf('passfile', file, complain)
  if (text === undefined) return ''
  if (process.platform !== 'win32' && fs.statSync(file).mode & 0o077)
    complain(`has passfile=${file}, which other users may read: run chmod 600 ${file}`)
  const lines = text.split(/\r?\n/).filter(line => line !== '' && !line.startsWith('#'))
  const wanted = hosts.map(({ name, port }) => [
    name.startsWith('/') ? 'localhost' : name,
    String(port),
    database,
    user
  ])
  for (const line of lines) {
    const fields = [...line.matchAll(/(?:\\.|[^\\:])*(?::|$)/gs)].map(([field]) =>
      field.replace(/:$/, '').replace(/\\(.)/gs, '$1')
    )
    const fits = (values: string[]) => values.every((value, index) => fields[index] === '*' || fields[index] === value)
    if (wanted.some(fits)) return fields[4] ?? ''
  }
  complain(`has passfile=${file}, which has no line for ${first(wanted).join(':')}`)
  return ''
}
