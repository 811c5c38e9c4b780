/** What was entered in a form whose session was over, carried through sign-in so that nothing typed is lost. */
import { openSecret, sealSecret } from '../lib/secrets/secret.ts'

/** A form that was sent too late. */
export interface KeptForm {
  /** Whose session it was: only they can send it. */
  personId: number
  /** Where it goes, an own path. */
  action: string
  fields: [name: string, value: string][]
}

const hours = 12
const place = { table: 'sessions', id: 0, column: 'kept_form' }
/** Sealed, in characters: it comes back in a form of at most 64 KB, escaped, beside address and password. */
const longest = 56_000

/** Passwords and the like are never carried. */
export const isSecretField = (name: string) => /password|secret/i.test(name)

/** Sealed under the key of this installation; undefined when it is too long to carry. */
export function sealForm(secretKey: Buffer, form: KeptForm): string | undefined {
  const sealed = sealSecret(secretKey, place, JSON.stringify({ ...form, at: Date.now() })).toString('base64url')
  return sealed.length > longest ? undefined : sealed
}

/** The form, or undefined when it is none of ours or older than twelve hours. */
export function openForm(secretKey: Buffer, sealed: string): KeptForm | undefined {
  if (sealed.length > longest || !/^[A-Za-z0-9_-]+$/.test(sealed)) return undefined
  const text = openSecret(secretKey, place, Buffer.from(sealed, 'base64url'))
  if (text === undefined) return undefined
  const { at, ...form } = JSON.parse(text) as KeptForm & { at: number }
  return Date.now() - at > hours * 3_600_000 ? undefined : form
}
