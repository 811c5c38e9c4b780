import type { Db } from '../db/client.ts'
import type { Role } from '../lib/role.ts'
import { cancelQueued, queueDelivery } from '../mail/store.ts'
import { organizationOf } from '../organization/store.ts'
import { type Ending, endInvitationsOf } from './inviter-store.ts'
import { dropLinks, linksKnownTo, lockInvitation } from './link-store.ts'
import { extendInvitation, type InvitationRow, invitationOf } from './store.ts'

/** `suppressed`: it has a new link, but the address gets no email. */
export type NewLink = 'same' | 'sent' | 'suppressed'

/** Ends the link of an open invitation and sends another one. Hold the locks of the person and the invitation. */
export async function replaceLink(tx: Db, { id, personId, email, isSuppressed }: InvitationRow): Promise<NewLink> {
  const hadLink = (await dropLinks(tx, [id])).length > 0
  // no link is created yet: the queued email brings the only one
  if (!hadLink) return 'same'
  await extendInvitation(tx, id, personId, (await organizationOf(tx)).invitationDays)
  if (isSuppressed) return 'suppressed'
  await cancelQueued(tx, { invitationId: id }, 'another link replaced the one in this email')
  await queueDelivery(tx, { personId, invitationId: id, address: email, batchId: null, priority: 0 })
  return 'sent'
}

/** Replaces links above `role` that users saw; returns how many. Call it under both locks, before the change. */
export async function replaceKnownLinks(tx: Db, userIds: number[], role: Role | null): Promise<number> {
  const ids = await linksKnownTo(tx, userIds, role)
  for (const id of ids) {
    await lockInvitation(tx, id)
    await replaceLink(tx, await invitationOf(tx, id))
  }
  return ids.length
}

/** Ends invitations of inviters who leave, and links of others that they saw. Under the same locks. */
export async function endWithInviters(
  tx: Db,
  userIds: number[],
  ending: Ending
): Promise<{ ended: number; replaced: number }> {
  const ended = await endInvitationsOf(tx, userIds, ending)
  return { ended, replaced: await replaceKnownLinks(tx, userIds, null) }
}
