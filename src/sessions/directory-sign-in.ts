/** Passwords that the organization's directory keeps. The implementation is in a higher folder and is passed in. */
import type { EntryRef } from '../people/entry-store.ts'
import type { PersonRow } from '../people/store.ts'

export interface Claimant {
  personId: number
  email: string
  addressKey: string
  /** Only this entry is asked. */
  entryId: string | null
  /** Without an entry: whether the one with the address may prove to be theirs. */
  mayClaim: boolean
}

export type DirectoryAnswer =
  | { outcome: 'right'; entry: EntryRef }
  | { outcome: 'wrong' }
  /** Right, but it has to be changed in the directory first. */
  | { outcome: 'expired' }
  | { outcome: 'must-change' }
  /** The entry is missing, bound to another person, or one of several with the address. Admins see which. */
  | { outcome: 'unclear' }
  | { outcome: 'too-many'; retryAfterSeconds: number }
  | { outcome: 'unavailable'; reason?: string }

/** `addressKey` alone: no user has this address. The answer and its timing are those of a wrong password. */
export type CheckDirectoryPassword = (
  claimant: Claimant | { addressKey: string },
  password: string,
  /** A proven client (known browser, invitation link) has its own attempts; strangers share theirs. */
  share?: string
) => Promise<DirectoryAnswer>

type Person = Pick<
  PersonRow,
  'id' | 'email' | 'addressKey' | 'directoryId' | 'directorySeparatedAt' | 'signedUpAt' | 'passwordHash'
>

/** An address alone is no proof: it takes the invitation's link, the Rollcall password, or an old unbound account. */
export function claimantOf(person: Person): Claimant {
  const { id: personId, email, addressKey, directoryId: entryId } = person
  const hasProof = person.signedUpAt === null || person.passwordHash !== null
  return { personId, email, addressKey, entryId, mayClaim: hasProof || person.directorySeparatedAt === null }
}
