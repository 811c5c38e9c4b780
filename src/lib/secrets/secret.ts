/** Secrets at rest: readable only with the key, and only in the row and column they were written for. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

export interface SecretPlace {
  table: string
  id: number
  column: string
}

const version = 1
const nonceBytes = 12
const tagBytes = 16

/** AES-256-GCM (NIST SP 800-38D): version, nonce, tag and ciphertext in one. `secretKey` is 32 bytes. */
export function sealSecret(secretKey: Buffer, place: SecretPlace, secret: string): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', keyFrom(secretKey), nonce).setAAD(nameOf(place))
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.from([version]), nonce, cipher.getAuthTag(), sealed])
}

/** Undefined when it was changed, or sealed for another place or under another key. */
export function openSecret(secretKey: Buffer, place: SecretPlace, sealed: Buffer): string | undefined {
  if (sealed[0] !== version || sealed.length < 1 + nonceBytes + tagBytes) return undefined
  const nonce = sealed.subarray(1, 1 + nonceBytes)
  const tag = sealed.subarray(1 + nonceBytes, 1 + nonceBytes + tagBytes)
  const cipher = createDecipheriv('aes-256-gcm', keyFrom(secretKey), nonce).setAAD(nameOf(place)).setAuthTag(tag)
  try {
    return Buffer.concat([cipher.update(sealed.subarray(1 + nonceBytes + tagBytes)), cipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

const nameOf = ({ table, id, column }: SecretPlace) => Buffer.from(JSON.stringify([table, id, column]))

const keyFrom = (secretKey: Buffer) => Buffer.from(hkdfSync('sha256', secretKey, '', 'rollcall: secrets at rest', 32))
