import { createHash } from 'node:crypto'
import { type Config, keysOf } from '../config/env.ts'
import { type LdapEnvironment, needsStartTls } from '../config/ldap.ts'
import { isLoopback } from '../config/values.ts'
import type { Database } from '../db/client.ts'
import type { Directory, DirectorySettings } from '../ldap/directory.ts'
import { openDirectory } from '../ldap/open-directory.ts'
import { keysIn } from '../lib/known.ts'
import { openSecret, sealSecret } from '../lib/secrets/secret.ts'
import { readOrganization } from '../organization/store.ts'
import { readSettingsRow } from './settings-store.ts'

export interface DirectoryDeps {
  config: Config
  db: Database
  secretKey: Buffer
  /** LDAP, unless a test brings its own. */
  open?: (settings: DirectorySettings) => Directory
}

export interface DirectoryState {
  settings: DirectorySettings
  intervalMinutes: number
  deactivateLeavers: boolean
  locked: ReadonlySet<keyof LdapEnvironment>
  /** It counts only for the server that it was typed for. */
  hasPassword: boolean
  /** One is stored for this server, but none of the keys opens it. */
  isPasswordSealed: boolean
  /** Why the directory cannot be asked now; null: it can. */
  problem: string | null
}

export const sealedPassword =
  'The bind password cannot be read with the SECRET_KEY in force: enter it again at Settings › Directory, or start Rollcall with the former key in SECRET_KEY_FORMER'

const place = { table: 'directory_settings', id: 1, column: 'bind_password' }

export const sealPassword = (secretKey: Buffer, password: string) => sealSecret(secretKey, place, password)

export function openPassword(keys: readonly Buffer[], sealed: Buffer): string | undefined {
  return keys.map(key => openSecret(key, place, sealed)).find(password => password !== undefined)
}

/** Includes the password only if it was typed for this very server (S13). */
export async function readDirectory(deps: DirectoryDeps): Promise<DirectoryState> {
  const { config, db } = deps
  const row = await readSettingsRow(db)
  const { ldap } = config
  const url = ldap.url ?? row?.url ?? ''
  const base = {
    url,
    startTls: ldap.startTls ?? (ldap.url === undefined && row ? row.startTls : needsStartTls(url)),
    // certificates from the console are for the console's server
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

/** If the address comes from the environment, so does everything else about the connection. */
function lockedBy(ldap: LdapEnvironment): ReadonlySet<keyof LdapEnvironment> {
  const named = keysIn(ldap)
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
    ? 'Enter the bind password again: the saved one was for another server'
    : 'The bind password is missing'
}

/** What a password was typed for; after a change of these it has to be entered again. */
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

export async function directoryOf(
  deps: DirectoryDeps
): Promise<{ directory: Directory; state: DirectoryState } | { problem: string }> {
  const state = await readDirectory(deps)
  if (state.problem) return { problem: state.problem }
  return { directory: (deps.open ?? openDirectory)(state.settings), state }
}
