import { recordEvent } from '../../audit/store.ts'
import { type Database, type Db, transaction } from '../../db/client.ts'
import { organizationOf } from '../../organization/store.ts'
import { requireRole } from '../../people/store.ts'
import { copyTeams, nameTeams } from '../../teams/members-store.ts'
import { chunkOf } from '../chunk.ts'
import { inviteLines } from '../judging/invite-lines.ts'
import { insertChunk, insertRecipients, lockInviting } from '../judging/judge-store.ts'
import { judgeLine, type OrganizationDomains } from '../recipient.ts'
import { addToCounts, insertBatch, startSending } from '../store.ts'

/** Invites parsed, trimmed addresses of the organization in one transaction. Returns the batch's id. */
export async function inviteTyped(
  db: Database,
  actorId: number,
  addresses: readonly string[],
  domains: OrganizationDomains,
  options: { teamIds?: number[] } = {}
): Promise<number> {
  return transaction(db, tx => inviteWithin(tx, actorId, addresses, domains, options))
}

/** `correctsBatchId`: the batch whose lines these correct, for its teams. */
export async function inviteWithin(
  tx: Db,
  actorId: number,
  addresses: readonly string[],
  domains: OrganizationDomains,
  { correctsBatchId, teamIds = [] }: { correctsBatchId?: number; teamIds?: number[] } = {}
): Promise<number> {
  const chunk = chunkOf(addresses.map((text, index) => ({ number: index + 1, text, ...judgeLine(text, domains) })))
  await lockInviting(tx)
  await requireRole(tx, actorId, 'admin')
  const batchId = await insertBatch(tx, {
    source: correctsBatchId ? 'correction' : 'typed',
    state: 'checking',
    action: 'send',
    correctsBatchId,
    createdBy: actorId,
    sentBy: actorId
  })
  await nameTeams(tx, batchId, teamIds)
  if (correctsBatchId) await copyTeams(tx, correctsBatchId, batchId)
  await insertChunk(tx, batchId, chunk)
  const judgement = await insertRecipients(tx, batchId, chunk.firstLine)
  await addToCounts(tx, batchId, { lines: addresses.length, judged: addresses.length, verdicts: judgement.counts })
  const days = (await organizationOf(tx)).invitationDays
  const invited = await inviteLines(tx, { batchId, ...judgement, invitedBy: actorId, days, priority: 0 })
  await startSending(tx, batchId)
  await recordEvent(tx, {
    kind: 'invitations-sent',
    actorId,
    batchId,
    details: { lines: addresses.length, invite: invited }
  })
  return batchId
}
