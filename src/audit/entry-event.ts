import { number } from '../lib/words.ts'
import type { EventRow, Shape } from './event.ts'

const personOf = (event: EventRow) => event.personName ?? 'a person'

const troubleWords: Record<string, string> = {
  'entry-missing': 'their entry was not found',
  'two-entries': 'two entries have their address',
  'entry-taken': 'the entry with their address belongs to another person here'
}

export const entryEventKinds = {
  'directory-refused': {
    tone: 'warn',
    icon: 'alert',
    says: event =>
      `${personOf(event)} could not use the directory’s password: ${troubleWords[String(event.details.trouble)] ?? 'their page says why'}`
  },
  'directory-linked': {
    tone: 'info',
    icon: 'check',
    says: event =>
      `allowed the directory’s password of ${event.details.entry ?? 'a directory entry'} for the account of ${personOf(event)}`
  },
  'entry-changed': {
    tone: 'warn',
    icon: 'refresh',
    says: event =>
      event.details.holder === 'other'
        ? `handed the account of ${personOf(event)} over to ${event.details.entry ?? 'a directory entry'}`
        : `bound ${personOf(event)} to the directory entry ${event.details.entry ?? 'a directory entry'}`
  },
  'entry-separated': {
    tone: 'warn',
    icon: 'x',
    says: event => `separated ${personOf(event)} from the directory entry ${event.details.entry ?? 'a directory entry'}`
  },
  'entries-relinked': {
    tone: 'warn',
    icon: 'refresh',
    says: event => `bound ${number(Number(event.details.people ?? 0))} people to the new entries with their addresses`
  },
  'address-moved': {
    tone: 'info',
    icon: 'mail',
    says: event =>
      `moved ${personOf(event)} from ${event.details.before ?? 'one address'} to ${event.details.address ?? 'another'}`
  }
} satisfies Record<string, Shape>
