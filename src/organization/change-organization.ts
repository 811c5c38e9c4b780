import { changesBetween } from '../audit/change-event.ts'
import { recordEvent } from '../audit/store.ts'
import { type Database, transaction } from '../db/client.ts'
import { requireRole } from '../people/store.ts'
import {
  lockSettings,
  type Organization,
  type OrganizationSettings,
  organizationOf,
  updateOrganization
} from './store.ts'

export async function changeOrganization(db: Database, actorId: number, changed: OrganizationSettings): Promise<void> {
  await transaction(db, async tx => {
    await requireRole(tx, actorId, 'owner')
    await lockSettings(tx)
    const before = await organizationOf(tx)
    await updateOrganization(tx, { timeZone: before.timeZone, ...changed })
    const details = changesBetween(valuesOf(before), valuesOf(await organizationOf(tx)))
    if (Object.keys(details).length > 0) await recordEvent(tx, { kind: 'organization-changed', actorId, details })
  })
}

const valuesOf = ({ organization, domains, continueUrl, invitationDays, timeZone }: Organization) => ({
  organization,
  domains: domains.join('\n'),
  continue_url: continueUrl,
  invitation_days: invitationDays,
  time_zone: timeZone
})
