import { chunkOf } from '../../batches/chunk.ts'
import { insertChunk } from '../../batches/judging/judge-store.ts'
import { judgeLine, type OrganizationDomains } from '../../batches/recipient.ts'
import { addToCounts, insertBatch } from '../../batches/store.ts'
import { type Database, type Db, transaction } from '../../db/client.ts'
import { requireRole } from '../../people/store.ts'
import { lockSelection, type Owner, setBatch } from '../members/selection-store.ts'
import { addressesOf, countOutcomes } from './review-store.ts'

export type InviteSelectedOutcome =
  | { outcome: 'batch'; batchId: number }
  | { outcome: 'unknown' }
  /** No one in it would get an email; nothing was created. */
  | { outcome: 'none' }

const linesInChunk = 5000

/** Makes one batch per selection, without teams: a second reason would keep people that the directory removes. */
export async function inviteSelected(
  db: Database,
  owner: Owner & { teamId: number },
  selectionId: number,
  domains: OrganizationDomains
): Promise<InviteSelectedOutcome> {
  return transaction(db, async tx => {
    const selection = await lockSelection(tx, selectionId, owner)
    if (!selection) return { outcome: 'unknown' }
    await requireRole(tx, owner.adminId, 'admin')
    if (selection.batchId !== null) return { outcome: 'batch', batchId: selection.batchId }
    const { invite = 0 } = await countOutcomes(tx, selectionId, owner.teamId)
    if (invite === 0) return { outcome: 'none' }
    const batchId = await insertBatch(tx, {
      source: 'group',
      state: 'checking',
      action: 'send',
      groupId: owner.groupId,
      createdBy: owner.adminId,
      sentBy: owner.adminId
    })
    const lines = await writeLines(tx, batchId, selectionId, owner.teamId, domains)
    await addToCounts(tx, batchId, { lines })
    await setBatch(tx, selectionId, batchId)
    return { outcome: 'batch', batchId }
  })
}

async function writeLines(tx: Db, batchId: number, selectionId: number, teamId: number, domains: OrganizationDomains) {
  let lines = 0
  let after = 0
  for (;;) {
    const { emails, last } = await addressesOf(tx, selectionId, teamId, linesInChunk, after)
    if (last === null) return lines
    const first = lines + 1
    const judged = emails.map((text, index) => ({ number: first + index, text, ...judgeLine(text, domains) }))
    if (judged.length > 0) await insertChunk(tx, batchId, chunkOf(judged))
    lines += emails.length
    after = last
  }
}
