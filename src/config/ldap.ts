import { droppedFrom } from '../lib/setting-url.ts'
import { type Complain, contentOf, isLoopback, isUrl, oneOf, type Read } from './values.ts'

/** What is undefined comes from the console. */
export interface LdapEnvironment {
  readonly url?: string
  readonly startTls?: boolean
  readonly ca?: string
  readonly bindDn?: string
  readonly bindPassword?: string
  readonly baseDn?: string
  readonly peopleFilter?: string
  readonly groupFilter?: string
}

/** What only the directory's code can check about `LDAP_*`: a setting's name and what is wrong with it. */
export type CheckLdap = (ldap: LdapEnvironment) => readonly (readonly [name: string, what: string])[]

export function ldapEnvironment(read: Read, complain: Complain): LdapEnvironment {
  const url = read('LDAP_URL')
  const problem = url === undefined ? undefined : directoryUrlProblem(url)
  if (problem) complain('LDAP_URL', problem)
  const startTls = oneOf(read('LDAP_STARTTLS') ?? '', ['', 'on', 'off'] as const)
  if (startTls === undefined) complain('LDAP_STARTTLS', 'must be on or off')
  if (startTls === 'on' && url?.startsWith('ldaps:')) complain('LDAP_STARTTLS', 'is for ldap:// only, not for ldaps://')
  const caFile = read('LDAP_CA_FILE')
  const ca = caFile && contentOf(caFile, what => complain('LDAP_CA_FILE', what))?.trim()
  if (ca && !ca.includes('-----BEGIN CERTIFICATE-----')) complain('LDAP_CA_FILE', 'holds no certificate in PEM form')
  // a password from the environment is sent to the environment's server, and to no other (S13)
  for (const name of ['LDAP_BIND_PASSWORD', 'LDAP_STARTTLS', 'LDAP_CA_FILE'])
    if (read(name) !== undefined && url === undefined) complain(name, 'needs LDAP_URL beside it')
  const given = {
    url,
    ca,
    bindDn: read('LDAP_BIND_DN'),
    bindPassword: read('LDAP_BIND_PASSWORD'),
    startTls: url === undefined ? undefined : startTls ? startTls === 'on' : needsStartTls(url),
    baseDn: read('LDAP_BASE_DN'),
    peopleFilter: read('LDAP_PEOPLE_FILTER'),
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

/** Unencrypted connections stay on this machine unless an owner allows others. */
export function needsStartTls(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'ldap:' && !isLoopback(new URL(url).hostname)
}
