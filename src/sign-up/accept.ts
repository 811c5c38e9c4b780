import { recordEvent } from '../audit/store.ts'
import type { Db } from '../db/client.ts'
import type { consume } from '../invitations/store.ts'
import type { Role } from '../lib/role.ts'
import { cancelQueued } from '../mail/store.ts'
import { currentRole, signUpPerson } from '../people/store.ts'
import { joinTeamsOf } from '../teams/members-store.ts'

type Used = NonNullable<Awaited<ReturnType<typeof consume>>>

/** Makes the person of an invitation that was just used up a user. Returns their role; locks come first (join.ts). */
export async function signUpWith(
  tx: Db,
  { id, personId, batchId, ...used }: Used,
  { name, passwordHash }: { name: string; passwordHash: string | null }
): Promise<Role> {
  // the owner who chose a higher role may have been demoted since
  const mayGrant = used.roleGrantedBy !== null && (await currentRole(tx, used.roleGrantedBy)) === 'owner'
  const role = mayGrant ? used.role : 'member'
  await signUpPerson(tx, personId, { name, role, passwordHash })
  await cancelQueued(tx, { invitationId: id }, 'the invitation was accepted')
  if (batchId !== null) await joinTeamsOf(tx, batchId, personId)
  await recordEvent(tx, { kind: 'signed-up', actorId: personId, personId, batchId })
  return role
}
