import { counted } from '../lib/words.ts'
import type { Shape } from './event.ts'

const whyNoGroups: Record<string, string> = {
  absent: 'was missing',
  'too-many': 'was left out because of too many groups',
  unreadable: 'could not be read'
}

/** Events of signing in with the organization's account. */
export const signInEventKinds = {
  'provider-linked': {
    tone: 'info',
    icon: 'check',
    says: event => `linked ${event.details.email ?? 'an account'} of ${event.details.issuer ?? 'the provider'}`
  },
  'provider-unlinked': {
    tone: 'warn',
    icon: 'x',
    says: event => `separated ${event.personName ?? 'a person'} from their account at the provider`
  },
  'provider-signed-out': {
    tone: 'mute',
    icon: 'x',
    says: event => `The provider ended ${counted(Number(event.details.sessions ?? 0), 'session')}`
  },
  'teams-from-claim': {
    tone: 'info',
    icon: 'people',
    says: event =>
      `${event.personName ?? 'A person'}’s teams changed at sign-in: ${event.details.added ?? 0} added, ${event.details.removed ?? 0} removed`
  },
  'groups-claim-missing': {
    tone: 'warn',
    icon: 'alert',
    says: event =>
      `The claim “${event.details.claim ?? 'groups'}” ${whyNoGroups[String(event.details.why)] ?? 'said nothing'} at a sign-in: teams stayed as they were`
  },
  'provider-tested': { tone: 'info', icon: 'check', says: () => 'tested sign-in with the provider' }
} satisfies Record<string, Shape>
