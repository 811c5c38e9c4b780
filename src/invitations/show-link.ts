import { recordEvent } from '../audit/store.ts'
import { type Database, type Db, transaction } from '../db/client.ts'
import { hashToken, newNonce, tokenOf, tokenWith } from '../lib/secrets/token.ts'
import { holdRoles, lockPerson } from '../people/store.ts'
import { type InvitationState, stateOf } from './invitation.ts'
import { lockInvitation, wasJustShown, writeNonce } from './link-store.ts'
import { mayHandle } from './may-handle.ts'
import { findInvitation, invitationOf } from './store.ts'

export type LinkOutcome =
  /** `isReplaced`: an earlier email has another link, which cannot be restored and no longer works. */
  | { outcome: 'shown'; token: string; isReplaced: boolean; email: string; personId: number; expiresAt: Date }
  | { outcome: 'unknown' }
  | { outcome: 'role-too-small' }
  | { outcome: 'closed'; personId: number; state: Exclude<InvitationState, 'open'> }

/** The link for an admin to pass on. `keys`: the present one first; a link that none made is replaced. */
export async function showLink(
  db: Database,
  keys: readonly [Buffer, ...Buffer[]],
  actorId: number,
  invitationId: number,
  how: 'shown' | 'copied' = 'shown'
): Promise<LinkOutcome> {
  return transaction(db, async tx => {
    // a link that is shown now must be replaced if its reader loses the role a moment later
    await holdRoles(tx)
    const found = await findInvitation(tx, invitationId)
    const person = found && (await lockPerson(tx, found.personId))
    if (!person) return { outcome: 'unknown' }
    await lockInvitation(tx, invitationId)
    const invitation = await invitationOf(tx, invitationId)
    if (!(await mayHandle(tx, actorId, invitation))) return { outcome: 'role-too-small' }
    const state = stateOf(invitation)
    if (state !== 'open') return { outcome: 'closed', personId: person.id, state }
    const { nonce, tokenHash, expiresAt } = invitation
    const known = nonce && tokenHash ? tokenWith(keys, nonce, tokenHash) : undefined
    const token = known ?? (await mint(tx, keys[0], invitationId))
    const isSeenAgain = known !== undefined && (await wasJustShown(tx, actorId, person.id, how))
    if (!isSeenAgain) await recordEvent(tx, { kind: 'link-shown', actorId, personId: person.id, details: { how } })
    const isReplaced = nonce !== null && known === undefined
    return { outcome: 'shown', token, isReplaced, email: person.email, personId: person.id, expiresAt }
  })
}

async function mint(tx: Db, secretKey: Buffer, invitationId: number): Promise<string> {
  const nonce = newNonce()
  const token = tokenOf(secretKey, nonce)
  await writeNonce(tx, invitationId, nonce, hashToken(token))
  return token
}
