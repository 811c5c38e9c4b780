/** What was entered in a form after its session ended, carried through sign-in so that nothing typed is lost. */
import { openSecret, sealSecret } from '../lib/secrets/secret.ts'

export interface KeptForm {
  /** The session's user: only they can send it. */
  personId: number
  action: string
  fields: [name: string, value: string][]
}

const hours = 12
const place = { table: 'sessions', id: 0, column: 'kept_form' }
/** Sealed, in characters: it comes back in a form of at most 64 KB, escaped, next to address and password. */
const longest = 56_000

/** Passwords and other secrets are never carried. */
export const isSecretField = (name: string) => /password|secret/i.test(name)

/** Sealed under this installation's key; undefined when it is too long to carry. */
export function sealForm(secretKey: Buffer, form: KeptForm): string | undefined {
  const sealed = sealSecret(secretKey, place, JSON.stringify({ ...form, at: Date.now() })).toString('base64url')
  return sealed.length > longest ? undefined : sealed
}

export function openForm(secretKey: Buffer, sealed: string): KeptForm | undefined {
  if (sealed.length > longest || !/^[A-Za-z0-9_-]+$/.test(sealed)) return undefined
  const text = openSecret(secretKey, place, Buffer.from(sealed, 'base64url'))
  if (text === undefined) return undefined
  const { at, ...form }: KeptForm & { at: number } = JSON.parse(text)
  return Date.now() - at > hours * 3_600_000 ? undefined : form
}
