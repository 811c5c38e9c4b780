/** The directory's settings as they count: the environment's where it says something, else the console's. */
import { createHash } from 'node:crypto'
import { type Config, keysOf } from '../config/env.ts'
import { type LdapEnvironment, needsStartTls } from '../config/ldap.ts'
import { isLoopback } from '../config/values.ts'
import type { Database } from '../db/client.ts'
import type { Directory, DirectorySettings } from '../ldap/directory.ts'
import { openDirectory } from '../ldap/open-directory.ts'
import { openSecret, sealSecret } from '../lib/secrets/secret.ts'
import { readOrganization } from '../organization/store.ts'
import { readSettingsRow } from './settings-store.ts'

export interface DirectoryDeps {
  config: Config
  db: Database
  secretKey: Buffer
  /** How a directory is reached: LDAP, unless a test has its own. */
  open?: (settings: DirectorySettings) => Directory
}

export interface DirectoryState {
  settings: DirectorySettings
  intervalMinutes: number
  deactivateLeavers: boolean
  /** Settings that the environment made: nobody changes them in the console. */
  locked: ReadonlySet<keyof LdapEnvironment>
  /** A password is kept. It counts only for the server that it was typed for. */
  hasPassword: boolean
  /** One is kept for this server, and no key that is known opens it. */
  isPasswordSealed: boolean
  /** Why the directory cannot be asked as things are, in words; null: it can. */
  problem: string | null
}

/** What happened, and what to do. */
export const sealedPassword =
  'The bind password cannot be read with the SECRET_KEY in force: enter it again at Settings › Directory, or start Rollcall with the former key in SECRET_KEY_FORMER'

const place = { table: 'directory_settings', id: 1, column: 'bind_password' }

/** A bind password as it is kept. */
export const sealPassword = (secretKey: Buffer, password: string) => sealSecret(secretKey, place, password)

/** The password that was kept, with whichever of the keys it was; undefined: with none of them. */
export function openPassword(keys: readonly Buffer[], sealed: Buffer): string | undefined {
  return keys.map(key => openSecret(key, place, sealed)).find(password => password !== undefined)
}

/** Reads what counts now. The password is in it only if it was given for this very server (S13). */
export async function readDirectory(deps: DirectoryDeps): Promise<DirectoryState> {
  const { config, db } = deps
  const row = await readSettingsRow(db)
  const { ldap } = config
  const url = ldap.url ?? row?.url ?? ''
  const base = {
    url,
    startTls: ldap.startTls ?? (ldap.url === undefined && row ? row.startTls : needsStartTls(url)),
    // certificates of the console are for the console's server
    ca: ldap.url === undefined ? (row?.ca ?? null) : (ldap.ca ?? null),
    bindDn: ldap.bindDn ?? row?.bindDn ?? '',
    baseDn: ldap.baseDn ?? row?.baseDn ?? '',
    peopleFilter: ldap.peopleFilter ?? row?.peopleFilter ?? null,
    groupFilter: ldap.groupFilter ?? row?.groupFilter ?? null,
    nested: row?.nested ?? true,
    allowPlain: row?.allowPlain ?? false,
    attributes: row?.attributes ?? {},
    exclusions: row?.exclusions ?? [],
    domains: (await readOrganization(db))?.domains ?? []
  }
  const sealed = row?.bindPassword ?? null
  const isForThis = row?.passwordFor === serverOf(base)
  const kept = sealed && isForThis ? openPassword(keysOf(deps), sealed) : undefined
  const settings = { ...base, bindPassword: ldap.bindPassword ?? kept ?? '' }
  const isPasswordSealed = sealed !== null && isForThis && kept === undefined && ldap.bindPassword === undefined
  return {
    settings,
    intervalMinutes: row?.intervalMinutes ?? 60,
    deactivateLeavers: row?.deactivateLeavers ?? false,
    locked: lockedBy(ldap),
    hasPassword: ldap.bindPassword !== undefined || sealed !== null,
    isPasswordSealed,
    problem: problemOf(settings, sealed !== null, isPasswordSealed)
  }
}

/** With an address from the environment, what else says how to reach it is the environment's too. */
function lockedBy(ldap: LdapEnvironment): ReadonlySet<keyof LdapEnvironment> {
  const named = Object.keys(ldap) as (keyof LdapEnvironment)[]
  return new Set([...named, ...(ldap.url === undefined ? [] : (['startTls', 'ca'] as const))])
}

function problemOf(
  { url, bindDn, bindPassword }: DirectorySettings,
  hadPassword: boolean,
  isPasswordSealed: boolean
): string | null {
  if (url === '') return 'No directory is set up yet'
  if (bindDn === '' || bindPassword !== '') return null
  if (isPasswordSealed) return sealedPassword
  return hadPassword
    ? 'The bind password has to be entered again: it was for another server'
    : 'The bind password is missing'
}

/**
 * What a password was typed for: host, port, encryption and whom to trust. Another one of these gets it only from
 * somebody who knows it.
 */
export function serverOf({
  url,
  startTls,
  ca,
  allowPlain
}: Pick<DirectorySettings, 'url' | 'startTls' | 'ca' | 'allowPlain'>) {
  const parsed = URL.parse(url)
  if (!parsed) return ''
  const isLdaps = parsed.protocol === 'ldaps:'
  const host = parsed.hostname.toLowerCase()
  const isPlain = !isLdaps && !startTls
  const mode = isLdaps ? 'ldaps' : startTls ? 'starttls' : isLoopback(host) || !allowPlain ? 'plain' : 'plain, allowed'
  const trust = ca && !isPlain ? createHash('sha256').update(ca).digest('base64url') : ''
  return [mode, host, parsed.port || (isLdaps ? '636' : '389'), trust].join(' ')
}

/** The directory that counts now, or why there is none to ask. */
export async function directoryOf(
  deps: DirectoryDeps
): Promise<{ directory: Directory; state: DirectoryState } | { problem: string }> {
  const state = await readDirectory(deps)
  if (state.problem) return { problem: state.problem }
  return { directory: (deps.open ?? openDirectory)(state.settings), state }
}
