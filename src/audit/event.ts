import { counted } from '../lib/words.ts'
import type { Details } from './change-event.ts'
import { entryEventKinds } from './entry-event.ts'
import { factorEventKinds } from './factor-event.ts'
import { settingEventKinds } from './setting-event.ts'
import { signInEventKinds } from './sign-in-event.ts'

export interface EventRow {
  kind: string
  at: Date
  /** Null: Rollcall itself, or a visitor. */
  actorId: number | null
  /** Names and addresses as they were at the event. */
  actorName: string | null
  actorEmail: string | null
  personId: number | null
  personName: string | null
  personEmail: string | null
  batchId: number | null
  details: Details
}

export interface Shape {
  tone: 'good' | 'info' | 'warn' | 'bad' | 'mute'
  icon: string
  says: (event: EventRow) => string
}

const personOf = (event: EventRow) => event.personName ?? 'a person'
const amount = (event: EventRow, name: string) => Number(event.details[name] ?? 0)
const named = (event: EventRow, name = 'group') => `“${event.details[name] ?? name}”`
const changesOf = (event: EventRow) => `${amount(event, 'added')} added, ${amount(event, 'removed')} removed`

export const eventKinds = {
  'organization-set-up': { tone: 'good', icon: 'check', says: () => 'set Rollcall up' },
  ...settingEventKinds,
  'copy-found': {
    tone: 'warn',
    icon: 'alert',
    says: () => 'Rollcall found that this database is a copy and put its email on hold'
  },
  'copy-sends': { tone: 'info', icon: 'send', says: () => 'released the held emails of a copied database' },
  'copy-discarded': {
    tone: 'warn',
    icon: 'x',
    says: event => `discarded ${counted(amount(event, 'mails'), 'email')} of a copied database`
  },
  'signed-in': { tone: 'mute', icon: 'people', says: () => 'signed in' },
  'name-changed': {
    tone: 'mute',
    icon: 'settings',
    says: event => `changed their name from ${named(event, 'before')} to ${named(event, 'name')}`
  },
  'password-changed': { tone: 'mute', icon: 'settings', says: () => 'changed the password' },
  'password-guessed': {
    tone: 'bad',
    icon: 'alert',
    says: event => `was signed out after ${amount(event, 'tries')} wrong current passwords`
  },
  'sessions-ended': {
    tone: 'mute',
    icon: 'x',
    says: event => `ended ${counted(amount(event, 'sessions'), 'session')} of ${personOf(event)}`
  },
  'invitations-sent': {
    tone: 'info',
    icon: 'send',
    says: event => `invited ${counted(amount(event, 'invite'), 'person', 'people')}`
  },
  'addresses-checked': {
    tone: 'info',
    icon: 'check',
    says: event => `checked ${counted(amount(event, 'lines'), 'address', 'addresses')}`
  },
  'lines-corrected': {
    tone: 'info',
    icon: 'check',
    says: event => `corrected ${counted(amount(event, 'lines'), 'line')} of a batch that was not sent yet`
  },
  'upload-cut': {
    tone: 'bad',
    icon: 'alert',
    says: event =>
      `uploaded a list that was interrupted after ${counted(amount(event, 'lines'), 'line')}: nothing was sent`
  },
  'batch-paused': { tone: 'warn', icon: 'minus', says: () => 'paused a batch' },
  'batch-resumed': { tone: 'info', icon: 'send', says: () => 'resumed a batch' },
  'batch-stopped': { tone: 'bad', icon: 'alert', says: () => 'Rollcall stopped a batch' },
  'batch-cancelled': { tone: 'warn', icon: 'x', says: () => 'canceled a batch' },
  'mails-retried': {
    tone: 'info',
    icon: 'refresh',
    says: event => `retried ${counted(amount(event, 'mails'), 'email')}`
  },
  'invitation-resent': { tone: 'info', icon: 'send', says: event => `sent the invitation of ${personOf(event)} again` },
  'invitation-revoked': { tone: 'warn', icon: 'x', says: event => `revoked the invitation of ${personOf(event)}` },
  'link-shown': {
    tone: 'warn',
    icon: 'copy',
    says: event => `${event.details.how === 'copied' ? 'copied' : 'viewed'} the invitation link of ${personOf(event)}`
  },
  'invitation-requested': {
    tone: 'warn',
    icon: 'mail',
    says: event => `${personOf(event)} asked for a new invitation`
  },
  'signed-up': { tone: 'good', icon: 'check', says: () => 'signed up' },
  'opted-out': { tone: 'warn', icon: 'minus', says: event => `${personOf(event)} opted out of invitations` },
  'suppression-lifted': { tone: 'info', icon: 'mail', says: event => `allowed email to ${personOf(event)} again` },
  'role-changed': {
    tone: 'warn',
    icon: 'people',
    says: event => `made ${personOf(event)} ${event.details.role ?? 'member'}`
  },
  'person-deactivated': { tone: 'warn', icon: 'minus', says: event => `deactivated ${personOf(event)}` },
  'person-reactivated': { tone: 'good', icon: 'check', says: event => `reactivated ${personOf(event)}` },
  ...entryEventKinds,
  ...signInEventKinds,
  ...factorEventKinds,
  'groups-synced': {
    tone: 'info',
    icon: 'refresh',
    says: event => `added ${counted(amount(event, 'groups'), 'directory group')}`
  },
  'group-read': { tone: 'info', icon: 'refresh', says: event => `synced ${named(event)}: ${changesOf(event)}` },
  'group-parked': {
    tone: 'warn',
    icon: 'pause',
    says: event =>
      `synced ${named(event)}: ${changesOf(event)}; ${counted(amount(event, 'parked') + amount(event, 'deactivationsParked'), 'removal')} wait for approval`
  },
  'group-failed': {
    tone: 'bad',
    icon: 'alert',
    says: event => `could not sync ${named(event)}, nothing was changed: ${event.details.reason ?? ''}`
  },
  'removals-approved': {
    tone: 'warn',
    icon: 'check',
    says: event => `approved ${counted(amount(event, 'removed'), 'removal')} from ${named(event)}`
  },
  'removals-undone': {
    tone: 'info',
    icon: 'refresh',
    says: event => `put ${counted(amount(event, 'people'), 'person', 'people')} back in ${named(event)}`
  },
  'group-stopped': {
    tone: 'warn',
    icon: 'x',
    says: event =>
      `stopped syncing ${named(event)} and ${event.details.team === 'remove' ? 'removed' : 'kept'} its team`
  },
  'leavers-deactivated': {
    tone: 'warn',
    icon: 'minus',
    says: event => `deactivated ${counted(amount(event, 'people'), 'person', 'people')} who left the directory`
  },
  'leavers-held': {
    tone: 'warn',
    icon: 'alert',
    says: event =>
      `found ${counted(amount(event, 'people'), 'person', 'people')} missing from the directory, too many to deactivate without approval: see Directory groups`
  },
  'team-created': { tone: 'good', icon: 'teams', says: event => `created the team ${named(event, 'team')}` },
  'team-renamed': {
    tone: 'mute',
    icon: 'teams',
    says: event => `renamed the team ${named(event, 'before')} to ${named(event, 'team')}`
  },
  'team-removed': { tone: 'warn', icon: 'teams', says: event => `deleted the team ${named(event, 'team')}` },
  'team-joined': {
    tone: 'info',
    icon: 'teams',
    says: event => `added ${personOf(event)} to the team ${named(event, 'team')}`
  },
  'team-left': {
    tone: 'info',
    icon: 'teams',
    says: event => `removed ${personOf(event)} from the team ${named(event, 'team')}`
  }
} satisfies Record<string, Shape>

export type EventKind = keyof typeof eventKinds

export const isEventKind = (text: string): text is EventKind => Object.hasOwn(eventKinds, text)

/** Who, and a sentence that follows the name. */
export function describeEvent(event: EventRow) {
  const unknown: Shape = { tone: 'mute', icon: 'activity', says: () => event.kind }
  const shape = isEventKind(event.kind) ? eventKinds[event.kind] : unknown
  return { tone: shape.tone, icon: shape.icon, actor: event.actorName, text: shape.says(event) }
}
