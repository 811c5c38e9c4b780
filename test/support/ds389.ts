/** A real 389 Directory Server, if it is installed: in the foreground on a free loopback port, in its own folder. */
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { DirectorySettings } from '../../src/ldap/directory.ts'
import { atExit } from './at-exit.ts'
import type { Certificate } from './certificates.ts'
import {
  bindDn,
  bindPassword,
  freePort,
  groups,
  type LdifEntry,
  people,
  settingsFor,
  suffix,
  toLdif,
  untilListening
} from './slapd.ts'

const programs = ['/usr/sbin/ns-slapd', '/usr/bin/pwdhash', '/usr/bin/ldapmodify']
const templates = '/usr/share/dirsrv/data'
const isHere = [...programs, `${templates}/template-dse.ldif`].every(file => fs.existsSync(file))

/** Why the tests of this server cannot run here; false: they can. */
export const whyNo389 = isHere ? false : '389 Directory Server is not installed (Debian: 389-ds-base)'
/** TLS needs its certificate in a database that only these tools can write. */
export const whyNo389Tls =
  whyNo389 || (fs.existsSync('/usr/bin/pk12util') ? false : 'pk12util is not installed (Debian: libnss3-tools)')

export const managerDn = 'cn=Directory Manager'
const managerPassword = 'directory-manager-secret'

export interface Ds389Options {
  /** Entries below `suffix`; the suffix itself, its two units and the bind account are created here. */
  entries: LdifEntry[]
  /** Access rules of the suffix, instead of the one that lets the bind account read everything. */
  access?: string[]
  tls?: Certificate & { ca: string }
}

export interface Ds389 {
  settings: DirectorySettings
  url: string
  ldapsUrl: string
  pid: number
  /** LDIF of changes, applied by the Directory Manager; also to `cn=config`. */
  change(ldif: string): void
  stop(): Promise<void>
}

export const mayRead = `(targetattr = "*")(version 3.0; acl "Rollcall reads"; allow (read, search, compare) userdn = "ldap:///${bindDn}";)`

export async function start389(options: Ds389Options): Promise<Ds389> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rollcall-389-'))
  atExit(() => fs.rmSync(folder, { recursive: true, force: true }))
  const [port, tlsPort] = [await freePort(), await freePort()]
  configure(folder, port, options.tls && { ...options.tls, port: tlsPort })
  const config = path.join(folder, 'config')
  const data = path.join(folder, 'ldif/data.ldif')
  fs.writeFileSync(data, [...base(options.access ?? [mayRead]), ...options.entries].map(toLdif).join('\n'))
  execFileSync('/usr/sbin/ns-slapd', ['ldif2db', '-D', config, '-n', 'userRoot', '-i', data], { stdio: 'pipe' })
  const args = ['-D', config, '-i', path.join(folder, 'run/pid'), '-d', '0']
  const child = spawn('/usr/sbin/ns-slapd', args, { stdio: 'ignore' })
  atExit(() => child.kill('SIGKILL'))
  await untilListening(port, child)
  const url = `ldap://127.0.0.1:${port}`
  return {
    url,
    ldapsUrl: `ldaps://127.0.0.1:${tlsPort}`,
    settings: settingsFor(url),
    pid: child.pid!,
    change(ldif) {
      const manager = ['-x', '-H', url, '-D', managerDn, '-w', managerPassword]
      execFileSync('/usr/bin/ldapmodify', manager, { input: ldif, stdio: 'pipe' })
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise(resolve => child.once('exit', resolve))
        child.kill('SIGKILL')
        await gone
      }
      fs.rmSync(folder, { recursive: true, force: true })
    }
  }
}

const base = (access: string[]): LdifEntry[] => [
  { dn: suffix, objectClass: ['top', 'domain'], dc: 'larkfield', aci: access },
  { dn: people, objectClass: ['top', 'organizationalUnit'], ou: 'People' },
  { dn: groups, objectClass: ['top', 'organizationalUnit'], ou: 'Groups' },
  {
    dn: bindDn,
    objectClass: ['top', 'applicationProcess', 'simpleSecurityObject'],
    cn: 'rollcall',
    userPassword: bindPassword
  }
]

/** What dscreate would write, from the same templates: it only uses the system's folders. */
function configure(folder: string, port: number, tls: (Certificate & { ca: string; port: number }) | undefined) {
  const inside = (name: string) => path.join(folder, name)
  for (const name of ['config/schema', 'db', 'lock', 'log', 'run', 'ldif', 'bak', 'tmp', 'inst', 'home'])
    fs.mkdirSync(inside(name), { recursive: true })
  fs.copyFileSync('/etc/dirsrv/schema/99user.ldif', inside('config/schema/99user.ldif'))
  for (const name of ['slapd-collations.conf', 'certmap.conf'])
    fs.copyFileSync(`/etc/dirsrv/config/${name}`, inside(`config/${name}`))
  const values: Record<string, string> = {
    ...{ schema_dir: inside('config/schema'), lock_dir: inside('lock'), tmp_dir: inside('tmp') },
    ...{ cert_dir: inside('config'), ldif_dir: inside('ldif'), bak_dir: inside('bak'), run_dir: inside('run') },
    ...{ inst_dir: inside('inst'), log_dir: inside('log'), config_dir: inside('config') },
    ...{ db_dir: inside('db'), db_home_dir: inside('home'), db_lib: 'bdb' },
    ...{ fqdn: 'localhost', ds_port: String(port), ds_user: os.userInfo().username, rootdn: managerDn },
    ds_passwd: execFileSync('/usr/bin/pwdhash', ['-s', 'SSHA512', managerPassword], { encoding: 'utf8' }).trim(),
    ...{ ldapi_enabled: 'off', ldapi: inside('run/ldapi'), ldapi_autobind: 'off' },
    ...{ ds_suffix: suffix, ds_bename: 'userRoot' }
  }
  const filled = ['template-dse.ldif', 'template-suffix-db.ldif'].map(name =>
    fs
      .readFileSync(`${templates}/${name}`, 'utf8')
      .replace(/^#.*\n/gm, '')
      .replace(/%(\w+)%/g, (_, key: string) => values[key] ?? '')
      .trim()
  )
  const loopback = ['nsslapd-listenhost: 127.0.0.1', 'nsslapd-securelistenhost: 127.0.0.1']
  const secure = tls ? ['nsslapd-security: on', `nsslapd-secureport: ${tls.port}`] : []
  if (tls) keepCertificate(inside, tls)
  // off by default: then members would have no back link, and renamed people would drop out of their groups
  const isOn = /^(dn: cn=(?:MemberOf Plugin|referential integrity postoperation),[\s\S]*?pluginenabled: )off/gm
  const [dse, backend] = filled
  const text = dse!.replace(isOn, '$1on').replace(/^(nsslapd-port: .*)$/m, ['$1', ...loopback, ...secure].join('\n'))
  fs.writeFileSync(inside('config/dse.ldif'), `${text}\n\n${backend}\n`, { mode: 0o600 })
}

/** The certificate database, under the name in the template's configuration. */
function keepCertificate(inside: (name: string) => string, { ca, certificate, key }: Certificate & { ca: string }) {
  const write = (name: string, text: string) => {
    fs.writeFileSync(inside(name), text, { mode: 0o600 })
    return inside(name)
  }
  const none = write('tmp/none', '')
  const [caFile, own, ownKey] = [write('tmp/ca.pem', ca), write('tmp/own.pem', certificate), write('tmp/own.key', key)]
  const store = ['-d', inside('config')]
  const run = (command: string, args: string[]) => execFileSync(command, args, { stdio: 'pipe' })
  run('certutil', [...store, '-N', '--empty-password'])
  run('certutil', [...store, '-A', '-n', 'CA', '-t', 'CT,,', '-i', caFile, '-f', none])
  const pack = ['-export', '-in', own, '-inkey', ownKey, '-name', 'Server-Cert', '-passout', 'pass:x']
  run('openssl', ['pkcs12', ...pack, '-out', inside('tmp/own.p12')])
  run('pk12util', [...store, '-i', inside('tmp/own.p12'), '-W', 'x', '-K', ''])
  write('config/pin.txt', 'Internal (Software) Token:\n')
}
