import type { Db } from '../db/client.ts'
import { readable } from '../lib/addresses/readable-domain.ts'
import { hashToken, newNonces, optOutToken, tokenOf, tokenWith } from '../lib/secrets/token.ts'
import { compileMail, type Filling, type Frame } from '../mail/compile.ts'
import type { Claimed, Composed, Composer, Mail } from '../mail/delivery.ts'
import type { Mailbox } from '../mail/headers.ts'
import { type InvitationLetter, keepLinks, readInvitationLetters } from './letters-store.ts'

export interface InvitationMail {
  baseUrl: string
  secretKey: Buffer
  formerKeys?: readonly Buffer[]
  mailFrom: Mailbox
}

export function invitationComposer(deps: InvitationMail): Composer {
  const compiled = new Map<string, (filling: Filling) => Buffer>()
  return (tx, claimed) => composeInvitations(tx, deps, claimed, frame => kept(compiled, frame))
}

/** Drops closed invitations and people who get no email. A link is made with its first email and stays the same. */
export async function composeInvitations(
  tx: Db,
  deps: InvitationMail,
  claimed: Claimed[],
  compile: (frame: Frame) => (filling: Filling) => Buffer = compileMail
): Promise<Map<number, Composed>> {
  const ids = claimed.flatMap(({ invitationId }) => invitationId ?? [])
  const letters = await readInvitationLetters(tx, ids)
  const open = [...letters.values()].filter(letter => !refusalOf(letter))
  findLinks([deps.secretKey, ...(deps.formerKeys ?? [])], open)
  await mintLinks(
    tx,
    deps.secretKey,
    open.filter(letter => !letter.token)
  )
  return new Map(
    claimed.map(delivery => [delivery.id, compose(deps, delivery, letters.get(delivery.invitationId ?? 0), compile)])
  )
}

/** If no key matches a sent link, it is created again: an email must never carry a dead link. */
function findLinks(keys: readonly Buffer[], letters: InvitationLetter[]) {
  for (const letter of letters)
    if (letter.nonce && letter.tokenHash) letter.token = tokenWith(keys, letter.nonce, letter.tokenHash)
}

async function mintLinks(tx: Db, secretKey: Buffer, letters: InvitationLetter[]) {
  if (letters.length === 0) return
  const nonces = newNonces(letters.length)
  const links = letters.map((letter, n) => {
    const nonce = nonces[n]!
    letter.token = tokenOf(secretKey, nonce)
    return { invitationId: letter.invitationId, nonce, tokenHash: hashToken(letter.token) }
  })
  await keepLinks(tx, links)
}

function compose(
  deps: InvitationMail,
  delivery: Claimed,
  letter: InvitationLetter | undefined,
  compile: (frame: Frame) => (filling: Filling) => Buffer
): Composed {
  if (!delivery.invitationId) return { is: 'dropped', state: 'cancelled', reason: 'It belongs to no invitation' }
  if (!letter) return { is: 'busy' }
  const refusal = refusalOf(letter)
  if (refusal) return { is: 'dropped', ...refusal }
  if (letter.email !== delivery.address)
    return { is: 'dropped', state: 'cancelled', reason: 'The person has another address now' }
  const mail: Mail = {
    deliveryId: delivery.id,
    from: deps.mailFrom.address,
    to: delivery.address,
    bytes: () => compile(frameFor(deps, letter))(fillingFor(deps, delivery, letter))
  }
  return { is: 'mail', mail, until: letter.expiresAt }
}

function fillingFor(deps: InvitationMail, delivery: Claimed, letter: InvitationLetter): Filling {
  const link = `${deps.baseUrl}/join/${letter.token!}`
  const optOut = `${deps.baseUrl}/unsubscribe/${optOutToken(deps.secretKey, delivery.personId)}`
  return {
    to: { name: letter.name, address: delivery.address },
    messageId: delivery.messageId,
    date: new Date(),
    optOut,
    feedbackId: `${delivery.batchId ?? 0}:invitation:rollcall:${hostOf(deps.mailFrom.address)}`,
    values: { address: readable(delivery.address), link, optOut, expires: expiryText(letter) }
  }
}

function refusalOf(letter: InvitationLetter): { state: 'cancelled' | 'suppressed'; reason: string } | undefined {
  const cancelled = (reason: string) => ({ state: 'cancelled' as const, reason })
  if (letter.isSignedUp) return cancelled('Signed up before the email was sent')
  if (letter.isClosed) return cancelled('The invitation was revoked or answered before the email was sent')
  if (letter.isExpired) return cancelled('The invitation expired before the email was sent')
  if (letter.isSuppressed) return { state: 'suppressed', reason: 'No email to this address: it bounced or opted out' }
  return undefined
}

function frameFor({ mailFrom }: InvitationMail, { organization, inviterName, inviterEmail }: InvitationLetter): Frame {
  return {
    kind: 'invitation',
    language: 'en',
    direction: 'ltr',
    from: mailFrom,
    replyTo: inviterEmail ? { name: inviterName, address: inviterEmail } : undefined,
    fixed: { organization, inviter: inviterName ?? '' },
    varying: ['address', 'link', 'expires', 'optOut']
  }
}

/** One message per inviter and organization; there are never more than a few dozen at once. */
function kept(compiled: Map<string, (filling: Filling) => Buffer>, frame: Frame): (filling: Filling) => Buffer {
  const key = JSON.stringify([frame.kind, frame.language, frame.fixed, frame.replyTo])
  const known = compiled.get(key)
  if (known) return known
  if (compiled.size >= 100) compiled.clear()
  const made = compileMail(frame)
  compiled.set(key, made)
  return made
}

const written = new Map<string, string>()

/** In the organization's time zone. A batch's invitations expire together, so the last few results are cached. */
function expiryText({ expiresAt, timeZone }: InvitationLetter): string {
  const key = expiresAt + timeZone
  const known = written.get(key)
  if (known) return known
  if (written.size >= 100) written.clear()
  const text = new Date(expiresAt).toLocaleString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone
  })
  written.set(key, text)
  return text
}

const hostOf = (address: string) => address.slice(address.lastIndexOf('@') + 1)
