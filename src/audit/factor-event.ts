import { counted } from '../lib/words.ts'
import type { EventRow, Shape } from './event.ts'

const personOf = (event: EventRow) => event.personName ?? 'a person'
const keyOf = (event: EventRow) => `“${event.details.name ?? 'passkey'}”`

/** Events of second factors, passkeys and emergency sign-ins. */
export const factorEventKinds = {
  'factor-on': { tone: 'good', icon: 'check', says: () => 'turned their second factor on' },
  'factor-off': { tone: 'warn', icon: 'x', says: () => 'turned their second factor off' },
  'factor-guessed': {
    tone: 'bad',
    icon: 'alert',
    says: event =>
      `${personOf(event)}’s second factor was entered wrong ${counted(Number(event.details.tries ?? 0), 'time')}`
  },
  'factor-removed': { tone: 'warn', icon: 'x', says: event => `removed the second factor of ${personOf(event)}` },
  'recovery-codes-made': { tone: 'mute', icon: 'refresh', says: () => 'made new recovery codes' },
  'recovery-code-used': {
    tone: 'warn',
    icon: 'alert',
    says: event => `used a recovery code; ${counted(Number(event.details.left ?? 0), 'code')} left`
  },
  'passkey-added': { tone: 'good', icon: 'check', says: event => `added the passkey ${keyOf(event)}` },
  'passkey-renamed': { tone: 'mute', icon: 'settings', says: event => `renamed a passkey to ${keyOf(event)}` },
  'passkey-removed': { tone: 'warn', icon: 'x', says: event => `removed the passkey ${keyOf(event)}` },
  'password-reset': { tone: 'warn', icon: 'settings', says: () => 'set a new password by an emailed link' },
  'owner-password-used': {
    tone: 'warn',
    icon: 'alert',
    says: () => 'used an owner’s password to sign in, past the organization’s provider'
  },
  'sign-in-link-made': {
    tone: 'warn',
    icon: 'alert',
    says: event => `A one-time sign-in link for ${personOf(event)} was made on the server`
  }
} satisfies Record<string, Shape>
