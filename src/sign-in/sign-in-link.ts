/** A one-time link that signs an owner in: made on the server, for when nothing else works. */
import { randomBytes } from 'node:crypto'
import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { parseAddress } from '../lib/addresses/email-address.ts'
import { hashToken } from '../lib/secrets/token.ts'
import { findUserByKey, lockPerson } from '../people/store.ts'
import { notifyOwners } from '../sessions/notify.ts'
import { type Started, startSession } from '../sessions/start-session.ts'
import { addLink, closeLinks, findLink, type LinkState, useLink } from './account-links-store.ts'

export const signInLinkMinutes = 10

export type MadeLink = { outcome: 'made'; token: string } | { outcome: 'no-address' | 'no-user' | 'no-owner' }

/** Voids the owner's earlier links; all owners get an email. */
export async function makeSignInLink(db: Database, typed: string): Promise<MadeLink> {
  const address = parseAddress(typed.trim())
  if ('fault' in address) return { outcome: 'no-address' }
  return transaction(db, async tx => {
    const user = await findUserByKey(tx, address.key)
    if (!user) return { outcome: 'no-user' }
    if (user.role !== 'owner') return { outcome: 'no-owner' }
    const token = randomBytes(32).toString('base64url')
    await closeLinks(tx, user.id, 'sign-in')
    const link = {
      personId: user.id,
      purpose: 'sign-in',
      tokenHash: hashToken(token),
      minutes: signInLinkMinutes
    } as const
    await addLink(tx, link)
    await recordEvent(tx, { kind: 'sign-in-link-made', actorId: null, personId: user.id })
    await notifyOwners(tx, 'sign-in-link')
    return { outcome: 'made', token }
  })
}

export const stateOfSignInLink = async (db: Database, token: string): Promise<LinkState | 'unknown'> =>
  (await findLink(db, hashToken(token), 'sign-in'))?.state ?? 'unknown'

interface Browser {
  userAgent: string | null
  oldToken: string | undefined
}

/** Undefined when the link was used, has expired, or its owner is none now. */
export async function signInByLink(
  db: Database,
  token: string,
  { userAgent, oldToken }: Browser
): Promise<(Started & { personId: number }) | undefined> {
  return transaction(db, async tx => {
    const hash = hashToken(token)
    const link = await findLink(tx, hash, 'sign-in')
    // the person before the link, as where a newer link closes this one
    if (!link || (await lockPerson(tx, link.personId))?.role !== 'owner') return undefined
    const personId = await useLink(tx, hash, 'sign-in')
    if (personId === undefined) return undefined
    const started = await startSession(tx, personId, { userAgent, oldToken, method: 'link' })
    return started && { ...started, personId }
  })
}
