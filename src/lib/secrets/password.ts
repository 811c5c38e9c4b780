import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** OWASP ASVS 5.0, 11.4.2: argon2id with 19 MiB, two passes, one lane. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const
const derive = promisify(argon2)

/** The PHC string of `password` under a new 16-byte salt. Requests must call it in the queue (password-line.ts). */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const tag = await tagOf(password, salt)
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${plain(salt)}$${plain(tag)}`
}

/** Takes as long without a hash, so timing reveals nothing. Requests must call it in the queue, too. */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const [, , , , salt, tag] = (hash ?? '').split('$')
  const expected = Buffer.from(tag ?? '', 'base64')
  const actual = await tagOf(password, salt ? Buffer.from(salt, 'base64') : Buffer.alloc(16))
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

async function tagOf(password: string, nonce: Buffer): Promise<Buffer> {
  return derive('argon2id', { message: password.normalize('NFKC'), nonce, ...cost })
}

const plain = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')

const minimum = 15
const minimumWithFactor = 8
const maximum = 1024
const commonest =
  /password|passwort|passw0rd|qwert[yz]?u?i?o?p?|azerty|asdfg?h?j?k?l?|zxcvb?n?m?|qaz|wsx|edc|rfv|letmein|welcome|iloveyou|admin|login|dragon|monkey|sunshine|princess|football|baseball|master|superman|abcdefg?h?i?j?k?l?m?n?o?p?|changeme|secret|rollcall/g

/** Allowed only beside a second factor. */
export const isShortPassword = (password: string) => [...password].length < minimum

/** Why a new password is refused, or undefined. It must not be made of `context` words (NIST SP 800-63B-4, 3.1.1.2). */
export function passwordProblem(
  password: string,
  context: readonly string[],
  hasSecondFactor = false
): string | undefined {
  const length = [...password].length
  const least = hasSecondFactor ? minimumWithFactor : minimum
  if (length < least) return `Use at least ${least} characters. Several words in a row are fine.`
  if (length > maximum) return `Use at most ${maximum} characters.`
  if (isGuessable(password.toLowerCase(), context))
    return 'This password is easy to guess. Use several unrelated words.'
  return undefined
}

function isGuessable(password: string, context: readonly string[]): boolean {
  if (new Set(password).size < 5) return true
  if (isRepeated(password)) return true
  let rest = password.replaceAll(/[^\p{L}\p{N}]/gu, '')
  for (const word of context.flatMap(text =>
    text
      .slice(0, 300)
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
  )) {
    if (word.length >= 3) rest = rest.replaceAll(word, '')
  }
  // keyboard walks have digits in between
  rest = rest.replaceAll(commonest, '').replaceAll(/\d+/g, '').replaceAll(commonest, '')
  return rest.length < 5
}

function isRepeated(text: string): boolean {
  for (let unit = 1; unit <= 6; unit += 1) {
    if (
      text ===
      text
        .slice(0, unit)
        .repeat(Math.ceil(text.length / unit))
        .slice(0, text.length)
    )
      return true
  }
  return false
}
