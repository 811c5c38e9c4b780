import type { LdapEnvironment } from '../config/ldap.ts'
import { type DirectoryState, serverOf } from '../directory/settings.ts'
import type { AttributeNames, DirectorySettings } from '../ldap/directory.ts'
import { readExclusions } from '../ldap/schema/exclusions.ts'
import { dnKey } from '../ldap/syntax/dn.ts'
import { parseFilter } from '../ldap/syntax/filter.ts'
import { parseLdapUrl } from '../ldap/wire/ldap-url.ts'
import { messageOf } from '../lib/errors.ts'
import { keysIn } from '../lib/known.ts'
import { isPem } from '../lib/pem.ts'
import type { FieldErrors } from '../web/forms.ts'

/** A field that was not sent keeps its value. */
export type DirectoryFields = Partial<Record<DirectoryField, string>>
export type DirectoryField =
  | 'url'
  | 'starttls'
  | 'ca'
  | 'bind_dn'
  | 'bind_password'
  | 'base_dn'
  | 'people_filter'
  | 'group_filter'
  | 'nested'
  | 'interval_minutes'
  | 'allow_plain'
  | 'attributes'
  | 'exclusions'
  | 'deactivate_leavers'

/** The environment variable that locks a field, and the field's name there. */
export const lockOf: Partial<Record<DirectoryField, [keyof LdapEnvironment, string]>> = {
  url: ['url', 'LDAP_URL'],
  starttls: ['startTls', 'LDAP_STARTTLS'],
  ca: ['ca', 'LDAP_CA_FILE'],
  bind_dn: ['bindDn', 'LDAP_BIND_DN'],
  bind_password: ['bindPassword', 'LDAP_BIND_PASSWORD'],
  base_dn: ['baseDn', 'LDAP_BASE_DN'],
  people_filter: ['peopleFilter', 'LDAP_PEOPLE_FILTER'],
  group_filter: ['groupFilter', 'LDAP_GROUP_FILTER']
}

export const attributeNames = [
  'id',
  'mail',
  'name',
  'givenName',
  'surname',
  'department',
  'title',
  'manager',
  'member'
] as const satisfies (keyof AttributeNames)[]

/** The environment variable that sets a field; undefined where the form does. */
export function lockedBy(field: DirectoryField, { locked }: Pick<DirectoryState, 'locked'>): string | undefined {
  const [setting, variable] = lockOf[field] ?? []
  return setting !== undefined && locked.has(setting) ? variable : undefined
}

/** Without the password. */
export function valuesOf({ settings, ...state }: DirectoryState): Record<DirectoryField, string> {
  const onOff = (isOn: boolean) => (isOn ? 'on' : 'off')
  return {
    url: settings.url,
    starttls: onOff(settings.startTls),
    ca: settings.ca ?? '',
    bind_dn: settings.bindDn,
    bind_password: '',
    base_dn: settings.baseDn,
    people_filter: settings.peopleFilter ?? '',
    group_filter: settings.groupFilter ?? '',
    nested: onOff(settings.nested),
    interval_minutes: String(state.intervalMinutes),
    allow_plain: onOff(settings.allowPlain),
    attributes: attributeNames
      .flatMap(name => (settings.attributes[name] ? `${name} = ${settings.attributes[name]}` : []))
      .join('\n'),
    exclusions: settings.exclusions.join('\n'),
    deactivate_leavers: onOff(state.deactivateLeavers)
  }
}

export interface ReadForm {
  errors: FieldErrors
  /** With the password: the typed one, or the stored one if it was typed for this server. */
  settings: DirectorySettings
  intervalMinutes: number
  deactivateLeavers: boolean
  /** To be stored; null: the stored one stays. */
  newPassword: string | null
}

export function readForm(fields: DirectoryFields, state: DirectoryState): ReadForm {
  const values = { ...valuesOf(state), ...fields }
  const errors: FieldErrors = {}
  for (const field of keysIn(fields)) {
    const isOther = fields[field]?.trim() !== '' && fields[field] !== valuesOf(state)[field]
    const variable = lockedBy(field, state)
    if (!variable) continue
    if (isOther) errors[field] = `This is set by ${variable} in the environment.`
    else values[field] = valuesOf(state)[field]
  }
  const attributes = readAttributes(values.attributes, errors)
  const settings: DirectorySettings = {
    url: values.url.trim(),
    startTls: values.starttls === 'on',
    ca: values.ca.trim() || null,
    bindDn: values.bind_dn.trim(),
    bindPassword: '',
    baseDn: values.base_dn.trim(),
    peopleFilter: values.people_filter.trim() || null,
    groupFilter: values.group_filter.trim() || null,
    nested: values.nested === 'on',
    allowPlain: values.allow_plain === 'on',
    attributes,
    exclusions: values.exclusions.split('\n').flatMap(line => line.trim() || []),
    domains: state.settings.domains
  }
  findFaults(values, settings, errors)
  const typed = lockedBy('bind_password', state) ? '' : values.bind_password
  settings.bindPassword = passwordFor(settings, typed, state, errors)
  return {
    errors,
    settings,
    intervalMinutes: Number(values.interval_minutes),
    deactivateLeavers: values.deactivate_leavers === 'on',
    newPassword: typed === '' ? null : typed
  }
}

/** S13: a password that was typed for one server is sent to no other. */
function passwordFor(settings: DirectorySettings, typed: string, state: DirectoryState, errors: FieldErrors): string {
  if (settings.bindDn === '') {
    if (typed !== '') errors.bind_dn ??= 'Enter the bind DN that this password belongs to.'
    return ''
  }
  if (typed !== '') return typed
  const kept = serverOf(settings) === serverOf(state.settings) ? state.settings.bindPassword : ''
  if (kept === '')
    errors.bind_password = state.isPasswordSealed
      ? 'Enter the bind password again: the stored one cannot be read with the current SECRET_KEY.'
      : state.hasPassword
        ? 'Enter the bind password again: the server, port or encryption has changed since it was saved.'
        : 'Enter the bind password.'
  return kept
}

function findFaults(values: Record<DirectoryField, string>, settings: DirectorySettings, errors: FieldErrors) {
  for (const field of ['starttls', 'nested', 'allow_plain', 'deactivate_leavers'] as const)
    if (!['on', 'off'].includes(values[field])) errors[field] ??= 'Choose on or off.'
  const minutes = /^\d{1,5}$/.test(values.interval_minutes.trim()) ? Number(values.interval_minutes) : 0
  if (minutes < 5 || minutes > 10_080) errors.interval_minutes ??= 'Enter a number of minutes from 5 to 10080.'
  trying(errors, 'url', () => checkAddress(settings))
  if (settings.ca && !isPem(settings.ca))
    errors.ca ??= 'Paste certificates in PEM form, with their BEGIN and END lines.'
  if (settings.baseDn === '' || dnKey(settings.baseDn) === undefined)
    errors.base_dn ??= 'Enter the DN below which people and groups are, such as dc=example,dc=org.'
  trying(errors, 'people_filter', () => settings.peopleFilter && parseFilter(settings.peopleFilter))
  trying(errors, 'group_filter', () => settings.groupFilter && parseFilter(settings.groupFilter))
  trying(errors, 'exclusions', () => readExclusions(settings.exclusions))
}

function trying(errors: FieldErrors, field: DirectoryField, check: () => unknown) {
  try {
    check()
  } catch (error) {
    errors[field] ??= `${messageOf(error)}.`
  }
}

function checkAddress({ url, startTls, allowPlain }: DirectorySettings) {
  const { port, isLdaps, isLoopback } = parseLdapUrl(url)
  // not a way to probe other services on a server (S12)
  if (port < 1024 && port !== 389 && port !== 636) throw new Error('Directories listen on port 389, 636 or above 1023')
  if (!isLdaps && !startTls && !isLoopback && !allowPlain)
    throw new Error(
      'Passwords would be sent unencrypted: use ldaps://, turn on StartTLS, or allow unencrypted connections'
    )
}

function readAttributes(text: string, errors: FieldErrors): Partial<AttributeNames> {
  const read: Partial<AttributeNames> = {}
  for (const line of text.split('\n').filter(each => each.trim())) {
    const [, name, value] = /^\s*(\w+)\s*=\s*([A-Za-z][A-Za-z0-9-]{0,99}|\d+(?:\.\d+)+)\s*$/.exec(line) ?? []
    const known = attributeNames.find(each => each === name)
    if (known && value) read[known] = value
    else errors.attributes = `Write lines like “department = ou”; these can be set: ${attributeNames.join(', ')}.`
  }
  return read
}
