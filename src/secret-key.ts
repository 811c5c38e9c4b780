import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { keysOf } from './config/env.ts'
import { resealPassword } from './directory/reseal.ts'
import { type DirectoryDeps, sealedPassword } from './directory/settings.ts'
import { someOpenLinks } from './invitations/link-store.ts'
import { codeOf } from './lib/errors.ts'
import { tokenWith } from './lib/secrets/token.ts'
import type { Log } from './mail/delivery.ts'
import { closeToOthers } from './mail/outbox.ts'
import { resealClientSecrets, sealedClientSecret } from './oidc/reseal.ts'
import { resealTotp } from './second-factor/sealed-totp.ts'

/** A data folder's generated key: 32 bytes, made on the first start, readable by its owner only. */
export function readSecretKey(dataDir: string): Buffer {
  const file = path.join(dataDir, 'secret.key')
  fs.mkdirSync(dataDir, { recursive: true })
  if (!fs.existsSync(file)) makeKey(file)
  closeToOthers(file)
  const key = Buffer.from(fs.readFileSync(file, 'utf8').trim(), 'base64')
  if (key.length !== 32) throw new Error(`${file} does not hold 32 bytes in base64`)
  return key
}

/** Linked into place whole: a killed start leaves no empty key, and of two starts at once both read the same one. */
function makeKey(file: string) {
  const whole = `${file}.${process.pid}`
  fs.writeFileSync(whole, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flush: true })
  try {
    fs.linkSync(whole, file)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    fs.rmSync(whole)
  }
}

/** Enough open links to notice a missing key. */
const linksToTry = 100

/** At start: keeps secrets under the current key, and reports what no key opens, and what to do. */
export async function takeUpKey(deps: DirectoryDeps, log: Log): Promise<void> {
  const outcome = await resealPassword(deps)
  if (outcome === 'resealed') log.info({}, 'The directory’s bind password is now encrypted with the new SECRET_KEY')
  if (outcome === 'sealed') log.error({}, sealedPassword)
  const lost = await resealTotp(deps)
  if (lost > 0)
    log.error(
      { people: lost },
      'The codes of some authenticator apps were saved under another SECRET_KEY. Start with it in SECRET_KEY_FORMER: without it these people need a recovery code or a passkey'
    )
  const provider = await resealClientSecrets(deps)
  if (provider === 'resealed') log.info({}, 'The provider’s client secret is now encrypted with the new SECRET_KEY')
  if (provider === 'sealed') log.error({}, sealedClientSecret)
  const links = await someOpenLinks(deps.db, linksToTry)
  const isForeign = links.some(({ nonce, tokenHash }) => tokenWith(keysOf(deps), nonce, tokenHash) === undefined)
  if (isForeign)
    log.error(
      {},
      'Open invitations were made with another SECRET_KEY. Start with it in SECRET_KEY_FORMER: without it their links work, but not those for opting out, and sending an invitation again makes another link'
    )
}
