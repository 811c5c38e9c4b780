import { cutText } from '../lib/text/cut.ts'
import { type Detail, isChange, type Scalar } from './change-event.ts'
import type { EventRow, Shape } from './event.ts'

/** What the fields of the settings are called. */
const labels: Record<string, string> = {
  organization: 'name',
  domains: 'email domains',
  continue_url: 'link after joining',
  invitation_days: 'days that invitations last',
  time_zone: 'time zone',
  mails_per_second: 'emails per second',
  mails_per_second_per_domain: 'emails per second to each domain',
  keep_lines_days: 'days that addresses in reports are kept',
  url: 'address',
  starttls: 'StartTLS',
  ca: 'trusted certificates',
  bind_dn: 'bind DN',
  bind_password: 'bind password',
  base_dn: 'base DN',
  people_filter: 'filter for people',
  group_filter: 'filter for groups',
  nested: 'nested groups',
  allow_plain: 'unencrypted connections',
  interval_minutes: 'minutes between syncs',
  attributes: 'attributes',
  exclusions: 'exclusions',
  deactivate_leavers: 'deactivation of leavers',
  oidc: 'sign-in with the provider',
  oidc_issuer: 'issuer',
  oidc_client_id: 'client ID',
  oidc_client_secret: 'client secret',
  oidc_name: 'words on the button',
  oidc_algorithm: 'signature of ID tokens',
  oidc_trusted_domains: 'trusted domains',
  oidc_join: 'who may join',
  oidc_groups_claim: 'groups claim',
  oidc_teams: 'teams by claim',
  ldap: 'directory passwords',
  passwords: 'who may use a password',
  second_factor: 'required second factor'
}
const shown = 3

const quoted = (value: Scalar) =>
  value === null || value === '' ? 'nothing' : `“${cutText(String(value), 100).replaceAll('\n', ', ')}”`

/** One line of an event's details: a change with both values, a secret only as changed. */
export function detailInWords(name: string, detail: Detail): { name: string; value: string } {
  if (!isChange(detail)) return { name: detail === 'changed' ? (labels[name] ?? name) : name, value: String(detail) }
  return { name: labels[name] ?? name, value: `from ${quoted(detail.before)} to ${quoted(detail.after)}` }
}

function changesIn({ details }: EventRow): string {
  const changes = Object.entries(details).filter(([, detail]) => detail === 'changed' || isChange(detail))
  if (changes.length === 0) return ''
  const words = changes.slice(0, shown).map(([name, detail]) => {
    const { name: label, value } = detailInWords(name, detail)
    return isChange(detail) ? `${label} ${value}` : `a new ${label}`
  })
  const more = changes.length > shown ? `, and ${changes.length - shown} more` : ''
  return `: ${words.join(', ')}${more}`
}

const settingsOf = (what: string) =>
  ({ tone: 'mute', icon: 'settings', says: event => `changed the ${what}${changesIn(event)}` }) satisfies Shape

export const settingEventKinds = {
  'organization-changed': settingsOf('organization’s settings'),
  'mail-settings-changed': settingsOf('email settings'),
  'directory-settings-changed': settingsOf('directory settings'),
  'sign-in-settings-changed': settingsOf('sign-in settings')
} satisfies Record<string, Shape>
