/** Links that cannot be guessed, and that neither the database nor the key alone reveals. */
import { createHash, createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'

const nonceBytes = 32

export function newNonce(): Buffer {
  return randomBytes(nonceBytes)
}

/** Many nonces at once: asking for randomness costs more than most of an email's work. */
export function newNonces(count: number): Buffer[] {
  const all = randomBytes(count * nonceBytes)
  return Array.from({ length: count }, (_, n) => all.subarray(n * nonceBytes, (n + 1) * nonceBytes))
}

/** An invitation link's 43 characters: base64url of HMAC-SHA256 of its nonce under the secret key. */
export function tokenOf(secretKey: Buffer, nonce: Buffer): string {
  return createHmac('sha256', keyOf(secretKey)).update(nonce).digest('base64url')
}

export function tokenWith(keys: readonly Buffer[], nonce: Buffer, tokenHash: Buffer): string | undefined {
  return keys.map(key => tokenOf(key, nonce)).find(token => hashToken(token).equals(tokenHash))
}

export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** The opt-out link's token: `<person id>.<43 characters>`. It never expires and only stops email. */
export function optOutToken(secretKey: Buffer, personId: number): string {
  return `${personId}.${signatureOf(secretKey, personId)}`
}

/** The person of an opt-out token, or undefined when none of the keys made it. */
export function readOptOutToken(keys: readonly Buffer[], token: string): number | undefined {
  const [, id, signature] = /^([1-9]\d{0,15})\.([\w-]{43})$/.exec(token) ?? []
  if (!id || !signature) return undefined
  const isOurs = (key: Buffer) => timingSafeEqual(Buffer.from(signatureOf(key, Number(id))), Buffer.from(signature))
  return keys.some(isOurs) ? Number(id) : undefined
}

const signatureOf = (secretKey: Buffer, personId: number) =>
  createHmac('sha256', keyOf(secretKey)).update(`opt-out:${personId}`).digest('base64url')

export const signatureFor = (secretKey: Buffer, purpose: string, text: string) =>
  createHmac('sha256', keyOf(secretKey)).update(`${purpose}:${text}`).digest('base64url')

const keys = new WeakMap<Buffer, KeyObject>()

/** Importing a key costs as much as three signatures. */
function keyOf(secretKey: Buffer): KeyObject {
  const known = keys.get(secretKey)
  if (known) return known
  const key = createSecretKey(secretKey)
  keys.set(secretKey, key)
  return key
}
