/** A real OpenLDAP server for one test file: in the foreground on a free loopback port, its data loaded by slapadd. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { DirectorySettings } from '../../src/ldap/directory.ts'
import { atExit } from './at-exit.ts'
import type { Certificate } from './certificates.ts'

export type Attributes = Record<string, string | string[]>
export interface LdifEntry extends Attributes {
  dn: string
}

export interface SlapdOptions {
  /** Entries below `suffix`; the suffix itself, its two units and the bind account are created here. */
  entries: LdifEntry[]
  /** Lines of slapd.conf before the usual access rules. */
  access?: string[]
  /** Lines within the database section, such as overlays. */
  database?: string[]
  modules?: string[]
  /** Lines before everything else. */
  global?: string[]
  limits?: string
  tls?: Certificate & { ca: string }
}

export interface Slapd {
  url: string
  ldapsUrl: string
  port: number
  settings: DirectorySettings
  pid: number
  stop(): Promise<void>
}

export const suffix = 'dc=larkfield,dc=example'
export const people = `ou=People,${suffix}`
export const groups = `ou=Groups,${suffix}`
export const bindDn = `cn=rollcall,${suffix}`
export const bindPassword = 'roll-call-secret'

export const person = (uid: string, more: Attributes = {}): LdifEntry => ({
  dn: `uid=${uid},${people}`,
  objectClass: ['inetOrgPerson', 'extensibleObject'],
  uid,
  cn: uid,
  sn: uid,
  mail: `${uid}@larkfield.example`,
  ...more
})

export const group = (cn: string, members: string[], more: Attributes = {}): LdifEntry => ({
  dn: `cn=${cn},${groups}`,
  objectClass: ['groupOfNames', 'extensibleObject'],
  cn,
  member: members,
  ...more
})

export const dnOf = (uid: string) => `uid=${uid},${people}`

export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-slapd-'))
  const [port, tlsPort] = [await freePort(), await freePort()]
  fs.mkdirSync(path.join(folder, 'db'))
  const config = path.join(folder, 'slapd.conf')
  fs.writeFileSync(config, configuration(folder, options))
  const ldif = path.join(folder, 'data.ldif')
  fs.writeFileSync(ldif, [...base(), ...options.entries].map(toLdif).join('\n'))
  execFileSync('/usr/sbin/slapadd', ['-q', '-f', config, '-l', ldif], { stdio: 'pipe' })
  const urls = [`ldap://127.0.0.1:${port}`, ...(options.tls ? [`ldaps://127.0.0.1:${tlsPort}`] : [])].join(' ')
  const child = spawn('/usr/sbin/slapd', ['-f', config, '-h', urls, '-d', '0'], { stdio: 'ignore' })
  atExit(() => child.kill('SIGKILL'))
  await untilListening(port, child)
  const url = `ldap://127.0.0.1:${port}`
  return {
    url,
    ldapsUrl: `ldaps://127.0.0.1:${tlsPort}`,
    port,
    settings: settingsFor(url),
    pid: child.pid!,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise(resolve => child.once('exit', resolve))
        child.kill('SIGCONT')
        child.kill('SIGKILL')
        await gone
      }
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
}

export const settingsFor = (url: string): DirectorySettings => ({
  url,
  startTls: false,
  ca: null,
  bindDn,
  bindPassword,
  baseDn: suffix,
  peopleFilter: null,
  groupFilter: null,
  nested: true,
  allowPlain: false,
  attributes: {},
  exclusions: [],
  domains: ['larkfield.example']
})

const base = (): LdifEntry[] => [
  { dn: suffix, objectClass: ['dcObject', 'organization'], dc: 'larkfield', o: 'Larkfield' },
  { dn: people, objectClass: 'organizationalUnit', ou: 'People' },
  { dn: groups, objectClass: 'organizationalUnit', ou: 'Groups' },
  {
    dn: bindDn,
    objectClass: ['applicationProcess', 'simpleSecurityObject'],
    cn: 'rollcall',
    userPassword: bindPassword
  }
]

function configuration(folder: string, options: SlapdOptions): string {
  const { access = [], database = [], modules = [], global = [], tls } = options
  const schemas = ['core', 'cosine', 'inetorgperson', 'nis', 'dyngroup', 'misc']
  const write = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 })
    return path.join(folder, name)
  }
  return [
    ...schemas.map(name => `include /etc/ldap/schema/${name}.schema`),
    'modulepath /usr/lib/ldap',
    ...['back_mdb', ...modules].map(name => `moduleload ${name}`),
    ...(tls
      ? [
          `TLSCACertificateFile ${write('ca.pem', tls.ca)}`,
          `TLSCertificateFile ${write('server.pem', tls.certificate)}`,
          `TLSCertificateKeyFile ${write('server.key', tls.key)}`
        ]
      : []),
    `pidfile ${folder}/slapd.pid`,
    ...global,
    'database mdb',
    `suffix "${suffix}"`,
    `rootdn "cn=admin,${suffix}"`,
    `directory ${folder}/db`,
    'maxsize 2147483648',
    'index objectClass,entryUUID,uid,mail,cn eq',
    'access to attrs=userPassword by anonymous auth by * none',
    ...access,
    `access to * by dn.exact="${bindDn}" read by anonymous auth by * none`,
    options.limits ?? `limits dn.exact="${bindDn}" size=unlimited time=unlimited`,
    ...database,
    ''
  ].join('\n')
}

export function toLdif({ dn, ...attributes }: LdifEntry): string {
  const line = (name: string, value: string) =>
    /^[\x21-\x39\x3b\x3d-\x7e][\x20-\x7e]*$/.test(value) && !value.endsWith(' ')
      ? `${name}: ${value}`
      : `${name}:: ${Buffer.from(value).toString('base64')}`
  const lines = Object.entries(attributes).flatMap(([name, values]) => [values].flat().map(each => line(name, each)))
  return `${[line('dn', dn), ...lines].join('\n')}\n`
}

/** Entries of an LDIF file below test/cases, unchanged: no folded lines, no base64. */
export function caseEntries(file: string): LdifEntry[] {
  const text = fs.readFileSync(new URL(`../cases/${file}`, import.meta.url), 'utf8')
  return text.split(/\n\s*\n/).flatMap(block => {
    const lines = block.split('\n').filter(line => line !== '' && !line.startsWith('#'))
    const entry: Record<string, string[]> = {}
    for (const line of lines) {
      const at = line.indexOf(':')
      entry[line.slice(0, at)] = [...(entry[line.slice(0, at)] ?? []), line.slice(at + 1).trim()]
    }
    const { dn, ...attributes } = entry
    return dn ? [{ dn: dn[0]!, ...attributes }] : []
  })
}

export async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Tries again until it answers; slapd takes about 0.1 s. */
export async function untilListening(port: number, child: ChildProcess) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    const isUp = await new Promise<boolean>(resolve => {
      const socket = net.connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(!!socket.destroy())).once('error', () => resolve(false))
    })
    if (isUp) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error('the server does not listen')
}
