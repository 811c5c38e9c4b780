/** Composes emails about accounts. A link is derived, so that a repeated email has the same, and only its hash is stored. */
import type { Db } from '../db/client.ts'
import { isKeyOf, keysIn } from '../lib/known.ts'
import { hashToken, signatureFor } from '../lib/secrets/token.ts'
import { compileMail } from '../mail/compile.ts'
import type { Claimed, Composed, Composer } from '../mail/delivery.ts'
import type { Mailbox } from '../mail/headers.ts'
import { type NoticeWords, notices } from '../sessions/account-notices.ts'
import { type AccountLetter, addLink, readAccountLetters } from './account-links-store.ts'

interface AccountMail {
  baseUrl: string
  secretKey: Buffer
  mailFrom: Mailbox
}

export const passwordLinkMinutes = 30
const eventsOf = { 'owner-password': 'owner-password-used', 'sign-in-link': 'sign-in-link-made' }

/** One composer for every kind of account email. */
export function accountComposers(deps: AccountMail): Record<string, Composer> {
  const composer: Composer = (tx, claimed) => composeAll(tx, deps, claimed)
  return Object.fromEntries(keysIn(notices).map(kind => [kind, composer]))
}

async function composeAll(tx: Db, deps: AccountMail, claimed: Claimed[]): Promise<Map<number, Composed>> {
  const ids = claimed.map(({ id }) => id)
  const letters = new Map((await readAccountLetters(tx, ids, eventsOf)).map(letter => [letter.id, letter]))
  const composed = new Map<number, Composed>()
  for (const delivery of claimed) composed.set(delivery.id, await compose(tx, deps, delivery, letters.get(delivery.id)))
  return composed
}

async function compose(
  tx: Db,
  deps: AccountMail,
  delivery: Claimed,
  letter: AccountLetter | undefined
): Promise<Composed> {
  if (!letter || !isKeyOf(notices, delivery.kind)) return { is: 'busy' }
  const dropped = (reason: string) => ({ is: 'dropped', state: 'cancelled', reason }) as const
  if (!letter.isActive) return dropped('The account was deactivated before the email was sent')
  if (letter.email !== delivery.address) return dropped('The person has another address now')
  const words = notices[delivery.kind](factsOf(letter))
  const { token, until } =
    delivery.kind === 'password-link' ? await linkOf(tx, deps, delivery) : { token: '', until: null }
  const link = `${deps.baseUrl}${words.path}${token}`
  const to = { name: letter.name, address: delivery.address }
  const bytes = () => bytesOf(deps, delivery, { ...words, organization: letter.organization }, { to, link })
  return { is: 'mail', mail: { deliveryId: delivery.id, from: deps.mailFrom.address, to: to.address, bytes }, until }
}

/** Neither the key nor the database alone makes the link: the Message-ID is random. */
async function linkOf(tx: Db, { secretKey }: AccountMail, { id, personId, messageId }: Claimed) {
  const token = signatureFor(secretKey, 'account-link', `${id} ${messageId}`)
  const link = { personId, purpose: 'password', tokenHash: hashToken(token), minutes: passwordLinkMinutes } as const
  return { token, until: await addLink(tx, link) }
}

function factsOf({ organization, queuedAt, timeZone, about, codesLeft, ...account }: AccountLetter) {
  const ways = [
    account.hasProvider ? 'with your organization’s account' : '',
    account.hasDirectory ? 'with the password of your organization’s directory' : '',
    account.hasPasskey ? 'with a passkey' : ''
  ].filter(Boolean)
  const at = new Date(queuedAt).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'long', timeZone })
  return {
    organization,
    at,
    about: about ?? 'An owner',
    ways: ways.length > 0 ? ways.join(' or ') : 'in a way that an owner can tell you',
    codesLeft
  }
}

function bytesOf(
  { mailFrom }: AccountMail,
  { kind, messageId }: Claimed,
  { organization, subject, text, more, button }: NoticeWords & { organization: string },
  { to, link }: { to: Mailbox; link: string }
): Buffer {
  const fixed = { organization, heading: subject, text, more, button }
  const compiled = compileMail({
    kind: 'notice',
    language: 'en',
    direction: 'ltr',
    from: mailFrom,
    fixed,
    varying: ['link']
  })
  const feedbackId = `0:${kind}:rollcall:${mailFrom.address.slice(mailFrom.address.lastIndexOf('@') + 1)}`
  return compiled({ to, messageId, date: new Date(), feedbackId, values: { link } })
}
