/** Codes on paper for when the second factor is not at hand. */
import { createHash, randomBytes } from 'node:crypto'
import { Secret } from 'otpauth'

export const codesInSet = 10
const bytes = 10

/** Ten codes of 80 bits: four groups of four letters or digits. */
export const newRecoveryCodes = (): string[] =>
  Array.from({ length: codesInSet }, () =>
    new Secret({ buffer: new Uint8Array(randomBytes(bytes)).buffer }).base32.replace(/(.{4})(?!$)/g, '$1-')
  )

/** The digest of a typed code, however it is grouped; undefined when it cannot be one. */
export function recoveryHash(typed: string): Buffer | undefined {
  const plain = typed
    .slice(0, 60)
    .toUpperCase()
    .replace(/[\s-]/g, '')
    .replaceAll('0', 'O')
    .replaceAll('1', 'I')
    .replaceAll('8', 'B')
  return /^[A-Z2-7]{16}$/.test(plain) ? createHash('sha256').update(plain).digest() : undefined
}
