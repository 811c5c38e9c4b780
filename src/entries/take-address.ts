import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { dropLinks, lockInvitation } from '../invitations/link-store.ts'
import { extendInvitation } from '../invitations/store.ts'
import { last } from '../lib/ends.ts'
import { cancelQueued, findSuppression, queueDelivery } from '../mail/store.ts'
import { type Organization, organizationOf } from '../organization/store.ts'
import { moveToDirectoryAddress } from '../people/entry-store.ts'
import { findPersonByKey, type PersonRow } from '../people/store.ts'
import { lockGroupsOf, readGroupsAgain } from '../sync/read-again-store.ts'
import { lockFor } from './change-entry.ts'

export type TakeAddressOutcome =
  | { outcome: 'done'; before: string; address: string; isMailed: boolean }
  | { outcome: 'unknown' | 'role-too-small' | 'changed' | 'foreign' }
  | { outcome: 'address-taken'; personId: number }

/** Users sign in with it from now on. Ends the open link, since the former mailbox may be another person's. */
export async function takeAddress(
  db: Database,
  actorId: number,
  personId: number,
  address: string
): Promise<TakeAddressOutcome> {
  return transaction(db, async tx => {
    await lockGroupsOf(tx, [personId])
    const locked = await lockFor(tx, actorId, personId)
    if ('outcome' in locked) return locked
    const { person } = locked
    const { directoryMail, directoryMailKey } = person
    if (directoryMail === null || directoryMailKey === null || directoryMail !== address) return { outcome: 'changed' }
    const holder = await findPersonByKey(tx, directoryMailKey)
    if (holder !== undefined) return { outcome: 'address-taken', personId: holder }
    const organization = await organizationOf(tx)
    const invitationId = person.enrollment === 'invited' ? person.invitationId : null
    if (invitationId !== null && !organization.domains.includes(last(directoryMail.split('@'))))
      return { outcome: 'foreign' }
    await readGroupsAgain(tx, [personId])
    await moveToDirectoryAddress(tx, personId)
    const isMailed =
      invitationId !== null &&
      (await inviteAnew(
        tx,
        invitationId,
        { ...person, email: directoryMail, addressKey: directoryMailKey },
        organization
      ))
    const details = { before: person.email, address: directoryMail }
    await recordEvent(tx, { kind: 'address-moved', actorId, personId, details })
    return { outcome: 'done', before: person.email, address: directoryMail, isMailed }
  })
}

type Tx = Parameters<Parameters<typeof transaction>[1]>[0]

/** Ends the link that went to the former address. False when the new address gets no email. */
async function inviteAnew(
  tx: Tx,
  invitationId: number,
  person: PersonRow,
  { invitationDays }: Organization
): Promise<boolean> {
  await cancelQueued(tx, { invitationId }, 'the address changed')
  await lockInvitation(tx, invitationId)
  await dropLinks(tx, [invitationId])
  if (await findSuppression(tx, person.addressKey)) return false
  await extendInvitation(tx, invitationId, person.id, invitationDays)
  await queueDelivery(tx, { personId: person.id, invitationId, address: person.email, batchId: null, priority: 0 })
  return true
}
