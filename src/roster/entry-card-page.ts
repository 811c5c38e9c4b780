import type { Db } from '../db/client.ts'
import { mayDecide } from '../entries/change-entry.ts'
import { otherEntriesOf } from '../entries/entries-store.ts'
import type { Role } from '../lib/role.ts'
import type { Enrollment } from '../people/person.ts'
import type { findPerson } from '../people/store.ts'
import { showTime } from '../web/dates.ts'

export type Person = NonNullable<Awaited<ReturnType<typeof findPerson>>>

const ways: Record<string, string> = {
  sync: 'a sync added this person from it',
  address: 'a sync found this person’s address in it',
  join: 'this person joined with its password',
  'sign-in': 'this person signed in with its password',
  password: 'this person gave both passwords',
  admin: 'an admin chose it'
}

const troubles: Record<NonNullable<Person['directoryTrouble']>, string> = {
  'entry-missing':
    'The directory’s password was refused: the entry of this person is not in the directory, or Rollcall may not see it.',
  'two-entries': 'The directory’s password was refused: two entries in the directory have this address.',
  'entry-taken': 'The directory’s password was refused: the entry with this address belongs to another person here.'
}

interface Sheet {
  id: string
  heading: string
  text: string
  button: string
  keep: string
  fields: [string, string][]
}

export interface EntryAct {
  href: string
  label: string
  icon: string
  primary: boolean
  sheet: Sheet
}

/** With the entries of synced groups that have this person's address. */
export async function entryCard(db: Db, person: Person, { role, timeZone }: { role: Role; timeZone: string }) {
  const [others, mayAct] = await Promise.all([otherEntriesOf(db, person.id), mayDecide(db, role, person.id)])
  const hasEntry = person.directoryId !== null
  return {
    href: `/people/${person.id}/entry`,
    facts: hasEntry ? factsOf(person, timeZone) : [],
    none: person.directorySeparatedAt
      ? `An admin separated this person from their entry on ${showTime(person.directorySeparatedAt, timeZone).text}.`
      : 'No entry is known.',
    trouble: person.directoryTrouble ? troubles[person.directoryTrouble] : null,
    others: others.map(({ entryId, dn, name, group }) => ({ id: entryId, dn, name: name ?? dn, group })),
    acts: mayAct ? actsOf(person, role === 'owner') : [],
    mayAct
  }
}

function factsOf(person: Person, timeZone: string) {
  const { directoryDn, directoryId, directoryBoundAt: since, directoryBoundBy: by, directoryMail } = person
  const bound = since
    ? `${showTime(since, timeZone).text}${by ? `: ${ways[by]}` : ''}`
    : 'before Rollcall recorded the time and the reason'
  return [
    { name: 'Entry', value: directoryDn ?? '' },
    { name: 'ID', value: directoryId ?? '' },
    { name: 'Bound since', value: bound },
    ...(directoryMail ? [{ name: 'Address in the directory', value: directoryMail }] : []),
    ...(person.enrollment === 'signed-up' ? [{ name: 'Its password', value: passwordInWords(person) }] : [])
  ]
}

function passwordInWords({ passwordHash, directoryPasswordAt }: Person): string {
  if (passwordHash === null) return 'Opens this account'
  return directoryPasswordAt
    ? 'Opens this account, and so does the Rollcall password'
    : 'Does not open this account yet'
}

function actsOf(person: Person, isOwner: boolean): EntryAct[] {
  const base = `/people/${person.id}`
  const acts: EntryAct[] = []
  if (person.directoryMail)
    acts.push({
      href: `${base}/address`,
      label: 'Use the directory’s address…',
      icon: 'mail',
      primary: true,
      sheet: addressSheet(person, person.directoryMail)
    })
  if (person.directoryId === null) return acts
  if (isOwner && person.enrollment === 'signed-up' && person.passwordHash !== null && !person.directoryPasswordAt)
    acts.push({
      href: `${base}/entry/password`,
      label: 'Allow its password…',
      icon: 'check',
      primary: false,
      sheet: passwordSheet(person)
    })
  acts.push({
    href: `${base}/entry/removal`,
    label: 'Separate…',
    icon: 'x',
    primary: false,
    sheet: removalSheet(person)
  })
  return acts
}

function addressSheet({ email, enrollment }: Person, directoryMail: string): Sheet {
  const text: Partial<Record<Enrollment, string>> = {
    invited: `The link sent to ${email} stops working, and a new email goes to ${directoryMail}.`,
    'signed-up': `They sign in with ${directoryMail} from now on, and no longer with ${email}. No email is sent, so tell them.`
  }
  return {
    id: 'address',
    heading: `Change the address to ${directoryMail}?`,
    fields: [['address', directoryMail]],
    text: text[enrollment] ?? `Invitations go to ${directoryMail} from now on.`,
    button: 'Change address',
    keep: 'Keep the current one'
  }
}

const passwordSheet = ({ name, email, directoryDn }: Person): Sheet => ({
  id: 'password',
  heading: `Allow ${name ?? email} to sign in with the directory’s password?`,
  fields: [],
  text: `The password of ${directoryDn} signs in to this account, with its role. The Rollcall password keeps working.`,
  button: 'Allow its password',
  keep: 'Do not allow'
})

function removalSheet({ name, email, directoryDn, passwordHash, enrollment }: Person): Sheet {
  const lost =
    passwordHash === null && enrollment === 'signed-up'
      ? ' They have no Rollcall password and cannot sign in until they are bound again.'
      : ''
  return {
    id: 'separation',
    heading: `Separate ${name ?? email} from their entry?`,
    fields: [],
    text: `${directoryDn} no longer belongs to this person: their sessions end, and the next sync removes them from its groups.${lost}`,
    button: 'Separate',
    keep: 'Keep the entry'
  }
}
