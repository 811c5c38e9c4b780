/** Codes of an authenticator app (RFC 6238). */
import { Secret, TOTP } from 'otpauth'

const period = 30

const timer = (secret: string, issuer = '', label = '') =>
  new TOTP({ issuer, label, algorithm: 'SHA1', digits: 6, period, secret: Secret.fromBase32(secret) })

/** 160 random bits in Base32. */
export const newTotpSecret = () => new Secret({ size: 20 }).base32

/** The address in the QR code. */
export const totpUri = (secret: string, issuer: string, label: string) => timer(secret, issuer, label).toString()

/** The six digits of a code, without blanks and dashes; undefined for anything else. */
export const digitsOf = (typed: string) => /^\d{6}$/.exec(typed.slice(0, 40).replace(/[\s-]/g, ''))?.[0]

/** The period of a code that is right now, give or take one. The library would accept it again and again. */
export function counterOf(secret: string, typed: string, now = Date.now()): number | undefined {
  const token = digitsOf(typed)
  const delta = token === undefined ? null : timer(secret).validate({ token, window: 1, timestamp: now })
  return delta === null ? undefined : TOTP.counter({ period, timestamp: now }) + delta
}
