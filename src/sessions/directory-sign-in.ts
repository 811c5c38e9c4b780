/** Passwords that the organization's directory keeps. What it is lives further up and is passed down. */
import type { EntryRef } from '../people/entry-store.ts'
import type { PersonRow } from '../people/store.ts'

/** Whose password it would be. */
export interface Claimant {
  personId: number
  email: string
  addressKey: string
  /** The entry that this person is bound to. It alone is asked. */
  entryId: string | null
  /** Without an entry: may the one that has the address prove to be theirs? */
  mayClaim: boolean
}

export type DirectoryAnswer =
  /** The password of this entry. */
  | { outcome: 'right'; entry: EntryRef }
  | { outcome: 'wrong' }
  /** It is right, but has to be changed in the directory first. */
  | { outcome: 'expired' }
  | { outcome: 'must-change' }
  /** The entry is missing, is bound to another person, or is one of several with the address. An admin reads which. */
  | { outcome: 'unclear' }
  | { outcome: 'too-many'; retryAfterSeconds: number }
  /** It cannot be asked at this moment. */
  | { outcome: 'unavailable'; reason?: string }

/**
 * Is this the password that the directory has for that person? `addressKey` alone: no user here has it, which must
 * neither show nor take another time, and never reaches a password check.
 */
export type CheckDirectoryPassword = (
  claimant: Claimant | { addressKey: string },
  password: string,
  /** Names who tries, where that is proved: a browser known for this user, the holder of an invitation's link. Each has
   * tries of its own at the directory; strangers share theirs. */
  share?: string
) => Promise<DirectoryAnswer>

type Person = Pick<
  PersonRow,
  'id' | 'email' | 'addressKey' | 'directoryId' | 'directorySeparatedAt' | 'signedUpAt' | 'passwordHash'
>

/**
 * A person as the directory is asked about them. An address proves nothing on its own: beside it comes the invitation's
 * link, the password chosen here, or, for a user who joined before entries were kept, having neither of them.
 */
export function claimantOf(person: Person): Claimant {
  const { id: personId, email, addressKey, directoryId: entryId } = person
  const hasProof = person.signedUpAt === null || person.passwordHash !== null
  return { personId, email, addressKey, entryId, mayClaim: hasProof || person.directorySeparatedAt === null }
}
