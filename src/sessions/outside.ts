/** Passwords that somebody else keeps: the organization's directory. What it is lives further up and is passed down. */

/** Whose password it would be. */
export interface Claimant {
  email: string
  addressKey: string
  /** The entry that is known to be theirs. */
  directoryId: string | null
  isGone: boolean
}

export type OutsideAnswer =
  | { outcome: 'right' }
  | { outcome: 'wrong' }
  | { outcome: 'too-many'; retryAfterSeconds: number }
  /** It cannot be asked at this moment. */
  | { outcome: 'unavailable' }

/**
 * Is this the password that the directory has for that person? `addressKey` alone: nobody here has it, which must
 * neither show nor take another time, and never reaches a password check.
 */
export type CheckOutside = (claimant: Claimant | { addressKey: string }, password: string) => Promise<OutsideAnswer>
