import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { requireRole } from '../people/store.ts'
import { type OrganizationSettings, updateOrganization } from './store.ts'

export async function changeOrganization(db: Database, actorId: number, changed: OrganizationSettings): Promise<void> {
  await transaction(db, async tx => {
    await requireRole(tx, actorId, 'owner')
    await updateOrganization(tx, changed)
    await recordEvent(tx, { kind: 'organization-changed', actorId, details: { domains: changed.domains.length } })
  })
}
