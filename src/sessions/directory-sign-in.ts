/** Passwords that the organization's directory keeps. The implementation is in a higher folder and is passed in. */
import type { EntryRef } from '../people/entry-store.ts'
import type { PersonRow } from '../people/store.ts'

export interface Claimant {
  personId: number
  email: string
  addressKey: string
  /** The entry that this person is bound to. Only this one is asked. */
  entryId: string | null
  /** Without an entry: whether the one with the address may prove to be theirs. */
  mayClaim: boolean
}

export type DirectoryAnswer =
  /** The password of this entry. */
  | { outcome: 'right'; entry: EntryRef }
  | { outcome: 'wrong' }
  /** Right, but it has to be changed in the directory first. */
  | { outcome: 'expired' }
  | { outcome: 'must-change' }
  /** The entry is missing, bound to another person, or one of several with the address. Admins see which. */
  | { outcome: 'unclear' }
  | { outcome: 'too-many'; retryAfterSeconds: number }
  /** The directory does not answer now. */
  | { outcome: 'unavailable'; reason?: string }

/**
 * Whether this is the directory's password for that person. `addressKey` alone: no user here has it, which must change neither the answer
 * nor its timing, and never reaches a password check.
 */
export type CheckDirectoryPassword = (
  claimant: Claimant | { addressKey: string },
  password: string,
  /**
   * Names the client if it is proved: a browser known for this user, the holder of an invitation's link. Each has its own attempts at the
   * directory; strangers share theirs.
   */
  share?: string
) => Promise<DirectoryAnswer>

type Person = Pick<
  PersonRow,
  'id' | 'email' | 'addressKey' | 'directoryId' | 'directorySeparatedAt' | 'signedUpAt' | 'passwordHash'
>

/**
 * A person as the directory is asked about them. An address alone proves nothing: it needs the invitation's link, the Rollcall password,
 * or, for a user who joined before entries were stored, the lack of both.
 */
export function claimantOf(person: Person): Claimant {
  const { id: personId, email, addressKey, directoryId: entryId } = person
  const hasProof = person.signedUpAt === null || person.passwordHash !== null
  return { personId, email, addressKey, entryId, mayClaim: hasProof || person.directorySeparatedAt === null }
}
