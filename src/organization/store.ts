import { notInArray, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { domains, settings } from '../db/schema.ts'

export interface OrganizationSettings {
  organization: string
  continueUrl: string | null
  invitationDays: number
  domains: string[]
}

/** Writes the one row that makes Rollcall set up; false when somebody was faster. */
export async function insertOrganization(tx: Db, organization: string, names: string[]): Promise<boolean> {
  const rows = await tx.insert(settings).values({ organization }).onConflictDoNothing().returning({ id: settings.id })
  if (rows.length === 0) return false
  await replaceDomains(tx, names)
  return true
}

export async function updateOrganization(tx: Db, changed: OrganizationSettings): Promise<void> {
  const { organization, continueUrl, invitationDays } = changed
  await tx.update(settings).set({ organization, continueUrl, invitationDays })
  await replaceDomains(tx, changed.domains)
}

async function replaceDomains(tx: Db, names: string[]) {
  await tx.delete(domains).where(names.length > 0 ? notInArray(domains.name, names) : sql`true`)
  if (names.length > 0)
    await tx
      .insert(domains)
      .values(names.map(name => ({ name })))
      .onConflictDoNothing()
}
